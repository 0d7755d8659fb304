// Is the page what it says it is? Opened from disk in a real browser: it is there within a second, asks for nothing, has no
// errors, and says of any PE what the engines counted, by pointer and by keys.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { buildGraph } from '../../compiler/graph/build.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { placeGraph } from '../../compiler/lower/placement.ts';
import { loadModel } from '../../compiler/model/load.ts';
import { CAUSE_COUNT } from '../../emulator/program/causes.ts';
import { contentOfModel, contentOfProgram, type PageContent } from '../../report/html/content.ts';
import { page } from '../../report/html/page.ts';
import { buildReport } from '../../report/report.ts';
import { waferReport } from '../../report/wafer.ts';
import { chooseMapping } from '../../run/mapper.ts';
import { runProgram } from '../../run/program.ts';
import { pooledTimer } from '../../run/timer.ts';
import { mapWafer, type OperatorMap, timerPerPe, whereOfPe } from '../../run/waferMap.ts';
import { hasNoBrowser, opened, startBrowser } from '../fixtures/browser.ts';
import { gptFile, matmulFile, resultOf } from '../report/ran.ts';

const MOST_BYTES = 2e6;
const MOST_MS = 1000;

async function contentOf(file: Readonly<Record<string, unknown>>): Promise<PageContent> {
  const result = await resultOf(file);
  return contentOfModel(buildReport(result), result);
}

/** GPT-3 XL in a mapping that is given, so that none is searched for. */
async function wholeWafer(): Promise<PageContent> {
  const set = ['mapping.columns=187', 'mapping.tokensPerPe=67', 'mapping.accumulators=48'];
  const spec = loadModel('examples/gpt3-xl.json', { set });
  const { machine } = spec.machine;
  const graph = buildGraph(spec);
  const timer = pooledTimer(2);
  try {
    const mapping = await chooseMapping(graph, machine, spec.mapping, timer);
    const program = lower(placeGraph(graph, machine, mapping));
    const result = await runProgram(program, { timer: timerPerPe(timer) });
    return contentOfProgram(program, waferReport(program, result, null), await mapWafer(program, result, timer));
  } finally {
    await timer.close();
  }
}

interface Readout {
  readonly x: number;
  readonly y: number;
  readonly counts: readonly number[];
}

/** What the page says of the PE that is chosen; no counts of one that is not in use. */
async function readout(tab: Page): Promise<Readout> {
  const title = await tab.locator('#map-readout h3').innerText();
  const [, x, y] = /^PE \((\d+), (\d+)\)$/.exec(title) ?? [];
  const cells = await tab.locator('#map-readout td:nth-of-type(1)').allInnerTexts();
  return { x: Number(x), y: Number(y), counts: cells.map((text) => Number(text.replaceAll(',', ''))) };
}

/** Of the operators together, by the map that the engines gave. */
function countsAt({ mapping }: PageContent, maps: readonly OperatorMap[], x: number, y: number): number[] {
  if (x >= mapping.groups * mapping.columns || y >= mapping.rows) return [];
  const counts = Array.from({ length: CAUSE_COUNT }, () => 0);
  for (const map of maps) whereOfPe(map, x % mapping.columns, y).forEach((cycles, c) => (counts[c] += cycles));
  return counts;
}

/** Puts the pointer on PE (x, y), of the whole wafer in view. */
async function pointAt(tab: Page, { machine }: PageContent, x: number, y: number): Promise<void> {
  await tab.locator('#map').scrollIntoViewIfNeeded();
  const box = await tab.locator('#map').boundingBox();
  if (box === null) throw new Error('no map');
  const { width, height } = machine.fabric;
  const scale = Math.min(box.width / width, box.height / height);
  const left = box.x + (box.width - width * scale) / 2;
  const top = box.y + (box.height - height * scale) / 2;
  await tab.mouse.move(left + (x + 0.5) * scale, top + (y + 0.5) * scale);
}

function background(tab: Page): Promise<string> {
  return tab.evaluate('getComputedStyle(document.body).backgroundColor');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

async function isReady(tab: Page): Promise<number> {
  await tab.locator('html[data-ready]').waitFor({ state: 'attached' });
  return Number(await tab.locator('html').getAttribute('data-ready'));
}

describe.skipIf(hasNoBrowser)('the page in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  test('of a whole wafer is less than 2 MB, there within a second, and right about its PEs', async () => {
    const content = await wholeWafer();
    const html = page(content);
    expect(Buffer.byteLength(html)).toBeLessThan(MOST_BYTES);
    const { tab, complaints } = await opened(browser, html);
    let fastest = await isReady(tab);
    // Whatever else the computer does: the best of some.
    for (let again = 0; again < 4 && fastest >= MOST_MS; again++) {
      await tab.reload();
      fastest = Math.min(fastest, await isReady(tab));
    }
    expect(fastest).toBeLessThan(MOST_MS);
    for (const [x, y] of [
      [0, 0],
      [186, 991],
      [187, 500],
      [700, 31],
      [749, 993],
    ]) {
      await pointAt(tab, content, x, y);
      const got = await readout(tab);
      // A PE is less than a pixel.
      expect(Math.max(Math.abs(got.x - x), Math.abs(got.y - y))).toBeLessThanOrEqual(1);
      expect(got.counts).toEqual(countsAt(content, content.map, got.x, got.y));
    }
    expect(complaints).toEqual([]);
  });

  test('the map says the counts of each PE: of all, of a place, of a layer; zoomed, by pointer and by keys', async () => {
    const content = await contentOf(gptFile);
    const { tab, complaints } = await opened(browser, page(content));
    await isReady(tab);
    const expectAt = async (x: number, y: number, maps: readonly OperatorMap[]): Promise<void> =>
      expect(await readout(tab)).toEqual({ x, y, counts: countsAt(content, maps, x, y) });
    for (const [x, y] of [
      [0, 0],
      [3, 1],
      [7, 7],
      [2, 5],
    ]) {
      await pointAt(tab, content, x, y);
      await expectAt(x, y, content.map);
    }
    const place = content.map.filter(({ name }) => name.endsWith('.mlp.c_fc'));
    expect(place).toHaveLength(2);
    await tab.locator('#map-place').selectOption({ label: 'h.*.mlp.c_fc x2' });
    await expectAt(2, 5, place);
    await tab.locator('#map-layer').selectOption('h.1.mlp.c_fc');
    await expectAt(2, 5, place.slice(1));
    // The wheel is the page's until the map has the focus.
    await tab.mouse.wheel(0, -300);
    await tab.mouse.wheel(0, 900);
    await expect.poll(() => tab.evaluate<number>('scrollY')).toBeGreaterThan(0);
    await tab.locator('#map').scrollIntoViewIfNeeded();
    await tab.locator('#map').focus();
    await tab.keyboard.press('ArrowRight');
    await tab.keyboard.press('Shift+ArrowUp');
    await expectAt(3, 0, place.slice(1));
    const before = await tab.locator('#map').screenshot();
    await tab.keyboard.press('+');
    await tab.keyboard.press('+');
    expect((await tab.locator('#map').screenshot()).equals(before)).toBe(false);
    await expectAt(3, 0, place.slice(1));
    await tab.keyboard.press('0');
    expect((await tab.locator('#map').screenshot()).equals(before)).toBe(true);
    // What is under the pointer stays there.
    await pointAt(tab, content, 5, 6);
    await tab.mouse.wheel(0, -300);
    await expect.poll(async () => (await tab.locator('#map').screenshot()).equals(before)).toBe(false);
    await expectAt(5, 6, place.slice(1));
    expect(complaints).toEqual([]);
  });

  test('colours of the map follow cause and scale', async () => {
    const content = await contentOf(gptFile);
    const { tab } = await opened(browser, page(content));
    await isReady(tab);
    const compute = content.map.reduce((all, map) => all + whereOfPe(map, 0, 0)[0], 0);
    const cycles = content.map.reduce((all, map) => all + map.cycles, 0);
    await tab.locator('#map-cause').selectOption({ label: 'compute' });
    const shares = Array.from(
      { length: content.mapping.columns },
      (_, x) => countsAt(content, content.map, x, 0)[0] / cycles,
    );
    expect(compute / cycles).toBe(shares[0]);
    expect(await tab.locator('#map-low').innerText()).toBe(percent(Math.min(...shares)));
    expect(await tab.locator('#map-high').innerText()).toBe(percent(Math.max(...shares)));
    await tab.locator('#map-full').check();
    expect(await tab.locator('#map-high').innerText()).toBe('100.00 %');
  });

  test('operators over time: the pointer says each, keys zoom and pan', async () => {
    const content = await contentOf(gptFile);
    const { tab, complaints } = await opened(browser, page(content));
    await isReady(tab);
    const blocks = tab.locator('#timeline rect');
    expect(await blocks.count()).toBe(content.operators.length);
    const last = content.operators.at(-1);
    await blocks.last().hover();
    expect(await tab.locator('#tip').innerText()).toContain(`${last?.name}: cycles `);
    expect(await tab.locator('#tip').innerText()).toContain(`bound by ${last?.boundBy}`);
    const view = async (): Promise<number[]> =>
      ((await tab.locator('#timeline').getAttribute('viewBox')) ?? '').split(' ').map(Number);
    const whole = await view();
    await tab.locator('#timeline').focus();
    await tab.keyboard.press('+');
    await tab.keyboard.press('ArrowRight');
    const [from, , span] = await view();
    expect(span).toBeCloseTo(whole[2] / 1.4);
    expect(from).toBeGreaterThan((whole[2] - span) / 2);
    await tab.keyboard.press('0');
    expect(await view()).toEqual(whole);
    expect(complaints).toEqual([]);
  });

  test('light and dark: as the system is, and as the button says', async () => {
    const html = page(await contentOf(matmulFile));
    const light = await opened(browser, html);
    const dark = await opened(browser, html, 'dark');
    await Promise.all([isReady(light.tab), isReady(dark.tab)]);
    const [isLight, isDark] = [await background(light.tab), await background(dark.tab)];
    expect(isLight).not.toBe(isDark);
    const before = await light.tab.locator('#map').screenshot();
    await light.tab.locator('#theme').click();
    expect(await background(light.tab)).toBe(isDark);
    expect((await light.tab.locator('#map').screenshot()).equals(before)).toBe(false);
    await light.tab.locator('#theme').click();
    expect(await background(light.tab)).toBe(isLight);
    expect([...light.complaints, ...dark.complaints]).toEqual([]);
  });

  test('a name that looks like markup is a name', async () => {
    const name = '</script><img src="https://example.org/x.png" onerror="throw 1">';
    const { tab, complaints } = await opened(browser, page(await contentOf({ ...matmulFile, name })));
    await isReady(tab);
    expect(await tab.locator('h1').innerText()).toBe(name);
    expect(await tab.locator('img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('what a page asks for and what goes wrong in it is seen', async () => {
    const { tab, complaints } = await opened(
      browser,
      '<img src="x.png"><script>console.log("said"); throw new Error("thrown");</script>',
    );
    await tab.waitForLoadState('load');
    expect(complaints.join()).toMatch(/asks for .*x\.png/);
    expect(complaints.join()).toContain('said');
    expect(complaints.join()).toContain('thrown');
  });
});
