// Keeps the page up to date: after each round it asks the server for the page again and puts the new content in the place of the old.
import { addCopyButtons } from './copy-buttons.js';
import { updateDistances } from './distance.js';

/** How often to ask where there is no event stream: too many listen, or a proxy forbids it. */
const POLL_MS = 30_000;

const state = {
  running: false,
  /** Something happened that is not shown yet. */
  again: false,
  /** The server's clock minus ours. */
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
  state.again = state.running || isBeingRead();
  if (state.again) return;
  state.running = true;
  try {
    const response = await fetch(location.pathname, { cache: 'no-store', headers: { Accept: 'text/html' } });
    if (response.ok) show(new DOMParser().parseFromString(await response.text(), 'text/html'));
    setLost(!response.ok);
  } catch {
    setLost(true);
  } finally {
    state.running = false;
  }
  if (state.again) await refresh();
}

/** Text that somebody has selected, to copy it, must not vanish. */
function isBeingRead() {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && main().contains(selection.anchorNode);
}

/** @param {Document} page */
function show(page) {
  const next = page.querySelector('main');
  if (next === null) return;
  const before = main();
  keepUnfolded(before, next);
  keepCharts(before, next);
  addCopyButtons(next);
  const focused = document.activeElement?.id ?? '';
  before.replaceWith(document.adoptNode(next));
  if (focused !== '') document.getElementById(focused)?.focus({ preventScroll: true });
  state.skew = Number(next.dataset['now']) - Date.now();
  document.title = page.title;
  document.getElementById('icon')?.setAttribute('href', page.getElementById('icon')?.getAttribute('href') ?? '');
}

/**
 * What a person has unfolded or folded stays so.
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
 * Charts that static/history.js has drawn look after themselves.
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
  // The element is a live region: what is the same must not be read out again.
  const text = isLost ? 'No connection to ftm-watch: this may be old' : `Live: ${main().dataset['word'] ?? ''}`;
  if (live.textContent !== text) live.textContent = text;
}

/**
 * @param {MessageEvent<unknown>} event with a diagnosis
 * @returns {boolean}
 */
function isShown({ data }) {
  /** @type {unknown} */
  const round = JSON.parse(String(data));
  if (typeof round !== 'object' || round === null || !('at' in round) || typeof round.at !== 'string') return false;
  return Date.parse(round.at) === Number(main().dataset['seen']);
}

function listen() {
  const source = new EventSource('api/v1/events');
  source.addEventListener('open', () => {
    setLost(false);
  });
  source.addEventListener('diagnosis', (event) => {
    // The stream begins with the round that this page shows already.
    if (!isShown(event)) void refresh();
  });
  source.addEventListener('error', () => {
    setLost(true);
    if (source.readyState !== EventSource.CLOSED) return;
    setInterval(() => {
      void refresh();
    }, POLL_MS);
  });
}

document.addEventListener('selectionchange', () => {
  if (state.again && !isBeingRead()) void refresh();
});
addCopyButtons(document);
setInterval(() => {
  updateDistances(Date.now() + state.skew);
}, 1_000);
listen();
