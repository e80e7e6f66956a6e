// Keeps the page up to date. After each round, the script fetches the page again and replaces the old content.
import { addCopyButtons } from './copy-buttons.js';
import { updateDistances } from './distance.js';

/** If there is no event stream, because there are too many listeners or a proxy blocks it. */
const POLL_MS = 30_000;
/** Selected text delays updates for at most this time, because text can stay selected on a shared screen. */
const LONGEST_PAUSE_MS = 60_000;
const FOCUSABLE = 'a[href], button, summary, [tabindex]';

const state = {
  running: false,
  /** Set if an event arrived while the page was being fetched. */
  again: false,
  /** New content is held back since this time because text is selected. 0 if none is held back. */
  pausedSince: 0,
  /** The result of the latest round, even if it is not shown yet. */
  word: main().dataset['word'] ?? '',
  /** The difference between the server's clock and the browser's clock. */
  skew: Number(main().dataset['now']) - Date.now(),
};

/** @returns {HTMLElement} */
function main() {
  const element = document.querySelector('main');
  if (element === null) throw new Error('The page has no main element');
  return element;
}

/** @returns {Promise<void>} */
async function refresh() {
  state.again = state.running;
  if (state.running) return;
  state.running = true;
  try {
    const response = await fetch(location.pathname + location.search, {
      cache: 'no-store',
      headers: { Accept: 'text/html' },
    });
    if (response.ok) show(new DOMParser().parseFromString(await response.text(), 'text/html'));
    setLost(!response.ok);
  } catch {
    setLost(true);
  } finally {
    state.running = false;
  }
  if (state.again) await refresh();
}

/** Selected text must not disappear before it is copied. */
function isPaused() {
  if (!isTextSelected()) state.pausedSince = 0;
  else if (state.pausedSince === 0) state.pausedSince = Date.now();
  return state.pausedSince !== 0 && Date.now() - state.pausedSince < LONGEST_PAUSE_MS;
}

function endPause() {
  if (state.pausedSince !== 0 && !isPaused()) void refresh();
}

function isTextSelected() {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && main().contains(selection.anchorNode);
}

/** @param {Document} page */
function show(page) {
  const next = page.querySelector('main');
  if (next === null) return;
  document.title = page.title;
  document.getElementById('icon')?.setAttribute('href', page.getElementById('icon')?.getAttribute('href') ?? '');
  state.word = next.dataset['word'] ?? '';
  state.skew = Number(next.dataset['now']) - Date.now();
  if (!isPaused()) replaceContent(next);
}

/** @param {HTMLElement} next */
function replaceContent(next) {
  const before = main();
  keepUnfolded(before, next);
  keepCharts(before, next);
  addCopyButtons(next);
  const focusAgain = keepFocus();
  before.replaceWith(document.adoptNode(next));
  focusAgain();
  state.pausedSince = 0;
}

/**
 * Keeps the keyboard focus across an update. Remembers the nearest element with an ID and the position within it.
 * @returns {() => void}
 */
function keepFocus() {
  const { activeElement } = document;
  const region = activeElement?.closest('main [id]') ?? null;
  const place = region === null ? -1 : focusablesIn(region).findIndex((element) => element === activeElement);
  return () => {
    const again = region === null ? null : document.getElementById(region.id);
    if (again !== null) focusablesIn(again)[place]?.focus({ preventScroll: true });
  };
}

/**
 * @param {Element} region
 * @returns {HTMLElement[]}
 */
function focusablesIn(region) {
  return [region, ...region.querySelectorAll('*')].filter(
    (element) => element instanceof HTMLElement && element.matches(FOCUSABLE),
  );
}

/**
 * Keeps `<details>` elements open or closed as the reader left them.
 * @param {Element} before
 * @param {Element} next
 */
function keepUnfolded(before, next) {
  for (const old of before.querySelectorAll('details')) {
    for (const details of next.querySelectorAll('details')) {
      if (details.id === old.id) details.open = old.open;
    }
  }
}

/**
 * Keeps the charts that static/history.js has drawn. That script updates them.
 * @param {Element} before
 * @param {Element} next
 */
function keepCharts(before, next) {
  for (const plot of before.querySelectorAll('.plot.drawn')) {
    const figure = plot.closest('figure');
    if (figure !== null) next.querySelector(`#${figure.id} .plot`)?.replaceWith(plot);
  }
}

/** @param {boolean} isLost */
function setLost(isLost) {
  const live = document.getElementById('live');
  main().classList.toggle('old', isLost);
  if (live === null) return;
  live.hidden = false;
  live.classList.toggle('lost', isLost);
  live.classList.toggle('paused', !isLost && state.pausedSince !== 0);
  // In a live region, setting the same text again would make screen readers repeat it.
  const text = liveText(isLost);
  if (live.textContent !== text) live.textContent = text;
}

/**
 * @param {boolean} isLost
 * @returns {string}
 */
function liveText(isLost) {
  if (isLost) return 'No connection to ftm-watch. This page may be outdated';
  if (state.pausedSince === 0) return `Live: ${state.word}`;
  const news = main().dataset['word'] === state.word ? '' : `. Now: ${state.word}`;
  return `Updates are paused because text is selected${news}`;
}

function listen() {
  const source = new EventSource('api/v1/events');
  source.addEventListener('open', () => {
    setLost(false);
  });
  source.addEventListener('diagnosis', (event) => {
    // The first event is usually the one that this page already shows.
    if (event.lastEventId !== main().dataset['event']) void refresh();
  });
  source.addEventListener('error', () => {
    setLost(true);
    if (source.readyState !== EventSource.CLOSED) return;
    setInterval(() => {
      void refresh();
    }, POLL_MS);
  });
}

document.addEventListener('selectionchange', endPause);
addCopyButtons(document);
setInterval(() => {
  updateDistances(Date.now() + state.skew);
  endPause();
}, 1_000);
listen();
