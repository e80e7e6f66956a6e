// Keeps the page up to date: asks the server every few seconds, and replaces only the parts that have changed.
import { addCopyButtons } from './copy-buttons.js';
import { keepDistances, showDistances } from './distance.js';

const ASK_EVERY_MS = 5_000;
const ANSWER_WITHIN_MS = 10_000;
/** A reload closes the port for less than a second. */
const ASK_AGAIN_AFTER_MS = 1_000;
/** Longer than a reload of the daemon takes. */
const LOST_AFTER_MS = 15_000;
/** Selected text delays updates for at most this time, because text can stay selected on a shared screen. */
const LONGEST_PAUSE_MS = 60_000;
const FOCUSABLE = 'a[href], button, summary, [tabindex], input, select';

/** The main element as the server sent it, in which every part that is shown has its place. */
const shown = new DocumentFragment();
shown.append(main(document).cloneNode(true));

const state = {
  asking: false,
  tag: main(document).dataset['tag'] ?? '',
  title: document.title,
  icon: icon()?.getAttribute('href') ?? '',
  /** The time of the last answer, and of the first request since then that failed, on the browser's clock. */
  answeredAt: Date.now(),
  /** @type {number | null} */
  failingSince: null,
  /** Parts are held back since this time because text in them is selected. */
  /** @type {number | null} */
  pausedSince: null,
  /** The difference between the server's clock and the browser's clock. */
  skew: Number(main(document).dataset['now']) - Date.now(),
};

/**
 * @param {ParentNode} root
 * @returns {HTMLElement}
 */
function main(root) {
  const element = root.querySelector('main');
  if (element === null) throw new Error('The page has no main element');
  return element;
}

function icon() {
  return document.getElementById('icon');
}

function serverTime() {
  return Date.now() + state.skew;
}

async function ask() {
  if (state.asking) return;
  state.asking = true;
  const askedAt = Date.now();
  try {
    const response = await fetch(location.pathname + location.search, {
      headers: { Accept: 'text/html', 'If-None-Match': state.tag },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (response.status !== 304) {
      if (!response.ok) throw new Error(`Cannot ask for news: HTTP ${String(response.status)}`);
      take(new DOMParser().parseFromString(await response.text(), 'text/html'));
    }
    state.answeredAt = Date.now();
    state.failingSince = null;
  } catch {
    if (state.failingSince === null) setTimeout(() => void ask(), ASK_AGAIN_AFTER_MS);
    state.failingSince ??= askedAt;
  } finally {
    state.asking = false;
  }
  showState();
}

/** @param {Document} page */
function take(page) {
  const next = main(page);
  const { now, tag = '' } = next.dataset;
  state.title = page.title;
  state.icon = page.getElementById('icon')?.getAttribute('href') ?? '';
  state.skew = Number(now) - Date.now();
  const before = main(shown);
  // Both differ in each answer.
  for (const name of /** @type {const} */ (['now', 'tag'])) before.dataset[name] = next.dataset[name];
  if (update(before, next)) {
    state.pausedSince = null;
    state.tag = tag;
  } else {
    state.pausedSince ??= Date.now();
  }
  document.dispatchEvent(new Event('shown'));
}

/**
 * Replaces the smallest parts that differ. A part is an element with an ID.
 * @param {Element} before as the server sent it
 * @param {Element} next
 * @returns {boolean} false if a part is held back
 */
function update(before, next) {
  if (before.outerHTML === next.outerHTML) return true;
  if (restOf(before) !== restOf(next)) return replace(before, next);
  const parts = partsOf(next);
  return partsOf(before)
    .map((part, index) => update(part, parts[index] ?? part))
    .every(Boolean);
}

/**
 * Returns the nearest elements with an ID.
 * @param {Element} region
 */
function partsOf(region) {
  return [...region.querySelectorAll('[id]')].filter(
    ({ parentElement }) => parentElement?.closest('[id], main') === region,
  );
}

/**
 * Returns the region without its parts.
 * @param {Element} region
 */
function restOf(region) {
  const copy = document.createElement('div');
  copy.append(region.cloneNode(true));
  const [only] = copy.children;
  if (only !== undefined) for (const part of partsOf(only)) part.replaceWith(`#${part.id}`);
  return copy.innerHTML;
}

/**
 * @param {Element} before
 * @param {Element} next
 * @returns {boolean} false if text in this region is selected, or somebody types in this form
 */
function replace(before, next) {
  const region = before.id === '' ? main(document) : document.getElementById(before.id);
  if (region === null) return true;
  if (isTextSelectedIn(region) && Date.now() - (state.pausedSince ?? Date.now()) < LONGEST_PAUSE_MS) return false;
  if (region.matches('form') && isInUse(region)) return false;
  const fresh = document.importNode(next, true);
  before.replaceWith(next);
  keepUnfolded(region, fresh);
  keepCharts(region, fresh);
  addCopyButtons(fresh);
  showDistances(fresh, serverTime());
  const focusAgain = keepFocus(region);
  const typeAgain = keepForms(region, fresh);
  region.replaceWith(fresh);
  focusAgain();
  typeAgain();
  return true;
}

/**
 * Selected text must not disappear before it is copied.
 * @param {Element} region
 */
function isTextSelectedIn(region) {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && selection.containsNode(region, true);
}

/**
 * Keeps the forms in which somebody types. A form that the page no longer has stays beside the others, because its
 * answer explains why it is too late.
 * @param {Element} region
 * @param {Element} fresh
 * @returns {() => void} restores the focus
 */
function keepForms(region, fresh) {
  const { activeElement } = document;
  const forms = elementsIn(region, 'form[id]').filter(isInUse);
  for (const form of forms) {
    const [same] = elementsIn(fresh, `#${form.id}`);
    const [act] = elementsIn(fresh, '#act');
    if (same === undefined) act?.append(form);
    else same.replaceWith(form);
  }
  return () => {
    if (activeElement instanceof HTMLElement && forms.some((form) => form.contains(activeElement)))
      activeElement.focus({ preventScroll: true });
  };
}

/** @param {Element} form */
function isInUse(form) {
  const isChanged = [...form.querySelectorAll('input')].some(({ value, defaultValue }) => value !== defaultValue);
  return isChanged || form.contains(document.activeElement);
}

/**
 * Keeps the keyboard focus across an update. Remembers the nearest element with an ID and the position within it.
 * @param {Element} replaced
 * @returns {() => void}
 */
function keepFocus(replaced) {
  const { activeElement } = document;
  const region = replaced.contains(activeElement) ? (activeElement?.closest('[id], main') ?? null) : null;
  const place = region === null ? -1 : elementsIn(region, FOCUSABLE).findIndex((element) => element === activeElement);
  return () => {
    const again = region === null || region.id === '' ? main(document) : document.getElementById(region.id);
    if (again !== null) elementsIn(again, FOCUSABLE)[place]?.focus({ preventScroll: true });
  };
}

/**
 * @param {Element} region
 * @param {string} selector
 * @returns {readonly HTMLElement[]}
 */
function elementsIn(region, selector) {
  return [region, ...region.querySelectorAll('*')]
    .filter((element) => element instanceof HTMLElement)
    .filter((element) => element.matches(selector));
}

/**
 * Keeps `<details>` elements open or closed as the reader left them.
 * @param {Element} before
 * @param {Element} next
 */
function keepUnfolded(before, next) {
  const left = new Map(elementsIn(before, 'details').map((details) => [details.id, details.hasAttribute('open')]));
  for (const details of elementsIn(next, 'details'))
    details.toggleAttribute('open', left.get(details.id) ?? details.hasAttribute('open'));
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

/** Shows whether the page is up to date. Nobody knows the state while the server does not answer. */
function showState() {
  const isLost = state.failingSince !== null && Date.now() - state.failingSince >= LOST_AFTER_MS;
  const title = isLost ? `Unknown${state.title.slice(word().length)}` : state.title;
  if (document.title !== title) document.title = title;
  const image = isLost ? state.icon.replace(/icon-[a-z-]+\./u, 'icon-unknown.') : state.icon;
  if (icon()?.getAttribute('href') !== image) icon()?.setAttribute('href', image);
  document.documentElement.classList.toggle('lost', isLost);
  tell('lost', isLost ? lostText() : '');
  tell('live', isLost ? '' : liveText(), state.pausedSince === null && !isLost ? `: ${word()}` : '');
  document.getElementById('live')?.classList.toggle('paused', state.pausedSince !== null);
}

/** The state in one word, as in the title. */
function word() {
  return state.title.split(' – ')[0] ?? '';
}

/**
 * In a live region, setting the same text again would make screen readers repeat it.
 * @param {'live' | 'lost'} id
 * @param {string} text
 * @param {string} unseen what only screen readers need, because the heading says it
 */
function tell(id, text, unseen = '') {
  const element = document.getElementById(id);
  if (element === null || element.textContent === text + unseen) return;
  element.hidden = text === '';
  const more = document.createElement('span');
  more.className = 'unseen';
  more.textContent = unseen;
  element.replaceChildren(text, more);
}

function liveText() {
  return state.pausedSince === null
    ? 'Live'
    : `Updates are paused because text is selected or a form is in use. Now: ${word()}`;
}

function lostText() {
  const zone = main(document).dataset['timezone'] ?? 'UTC';
  const at = new Date(state.answeredAt + state.skew);
  const time = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeStyle: 'medium' }).format(at);
  return `No connection. Below: the state of ${time}. ftm-watch does not answer, or this device is offline`;
}

document.addEventListener('selectionchange', () => {
  if (state.pausedSince !== null && (getSelection()?.isCollapsed ?? true)) void ask();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void ask();
});
addCopyButtons(document);
keepDistances(serverTime);
showState();
setInterval(() => void ask(), ASK_EVERY_MS);
// A request that is not answered also loses the connection.
setInterval(showState, 1_000);
