// Pan and zoom of the timeline, by wheel, drag and keys, and the cycles below it.

const TIME_ZOOM = 1.4;
/** A pass is never shown larger than this. */
const MOST_TIME_ZOOM = 5000;
const TICKS = 6;

export function showTimeline() {
  const timeline = document.getElementById('timeline');
  const axis = document.getElementById('timeline-axis');
  if (!(timeline instanceof SVGSVGElement) || axis === null) throw new Error('the page has no timeline');
  const cycles = Number(timeline.dataset.cycles);
  const { width: whole, height } = timeline.viewBox.baseVal;
  let from = 0;
  let span = whole;
  const show = () => {
    span = Math.min(whole, Math.max(whole / MOST_TIME_ZOOM, span));
    from = Math.min(whole - span, Math.max(0, from));
    timeline.setAttribute('viewBox', `${from} 0 ${span} ${height}`);
    axis.replaceChildren(...ticks((from / whole) * cycles, (span / whole) * cycles));
  };
  /** @param {number} factor @param {number} at share of the width that stays */
  const zoom = (factor, at) => {
    const to = Math.min(whole, Math.max(whole / MOST_TIME_ZOOM, span / factor));
    from += (span - to) * at;
    span = to;
    show();
  };
  timeline.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && document.activeElement !== timeline) return;
      event.preventDefault();
      const { left, width } = timeline.getBoundingClientRect();
      zoom(TIME_ZOOM ** (-event.deltaY / 100), (event.clientX - left) / width);
    },
    { passive: false },
  );
  /** @type {number | null} */
  let drag = null;
  timeline.addEventListener('pointerdown', (event) => {
    drag = event.clientX;
    timeline.focus();
    timeline.setPointerCapture(event.pointerId);
  });
  timeline.addEventListener('pointerup', () => {
    drag = null;
  });
  timeline.addEventListener('pointermove', (event) => {
    if (drag === null) return;
    from -= ((event.clientX - drag) / timeline.clientWidth) * span;
    drag = event.clientX;
    show();
  });
  timeline.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowLeft') from -= span / 10;
    else if (event.key === 'ArrowRight') from += span / 10;
    else if (event.key === '+' || event.key === '=') return event.preventDefault(), zoom(TIME_ZOOM, 0.5);
    else if (event.key === '-') return event.preventDefault(), zoom(1 / TIME_ZOOM, 0.5);
    else if (event.key === '0') [from, span] = [0, whole];
    else return;
    event.preventDefault();
    show();
  });
  show();
}

/**
 * @param {number} from
 * @param {number} span both in cycles
 * @returns {HTMLElement[]}
 */
function ticks(from, span) {
  const rough = span / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10);
  const marks = [];
  for (let at = Math.ceil(from / step) * step; at <= from + span; at += step) {
    const mark = document.createElement('span');
    mark.style.left = `${(100 * (at - from)) / span}%`;
    mark.textContent = Math.round(at).toLocaleString('en-US');
    marks.push(mark);
  }
  return marks;
}
