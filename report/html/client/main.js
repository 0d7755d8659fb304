// What the page does beyond showing: its theme, what the pointer is on, and the pictures that move.

import { showTimeline } from './timeline.js';
import { showMap } from './waferMap.js';

function startTheme() {
  const root = document.documentElement;
  const isDark = () =>
    root.dataset.theme === undefined
      ? matchMedia('(prefers-color-scheme: dark)').matches
      : root.dataset.theme === 'dark';
  document.getElementById('theme')?.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    document.dispatchEvent(new Event('themechange'));
  });
}

/** Says beside the pointer what stands in `data-tip`. */
function startTips() {
  const tip = document.getElementById('tip');
  document.addEventListener('pointermove', ({ target, clientX, clientY }) => {
    const on = target instanceof Element ? target.closest('[data-tip]') : null;
    if (tip === null) return;
    tip.hidden = on === null;
    if (on === null) return;
    tip.textContent = on.getAttribute('data-tip');
    const { offsetWidth, offsetHeight } = tip;
    tip.style.left = `${Math.max(0, Math.min(clientX + 14, innerWidth - offsetWidth - 8))}px`;
    tip.style.top = `${clientY + offsetHeight + 24 > innerHeight ? clientY - offsetHeight - 10 : clientY + 16}px`;
  });
}

function startBars() {
  const toggle = document.getElementById('stalls-length');
  const bars = document.getElementById('stalls');
  if (toggle instanceof HTMLInputElement)
    toggle.addEventListener('change', () => bars?.classList.toggle('lengths', toggle.checked));
}

startTheme();
startTips();
startBars();
showTimeline();
await showMap(JSON.parse(document.getElementById('wafer')?.textContent ?? ''));
document.documentElement.dataset.ready = String(Math.round(performance.now()));
