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

/** The main element as the server sent it, without what scripts change on the page. */
const sent = cloneOf(main(document));

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

/** Precedes the heading while ftm-watch does not answer. */
const lastKnown = document.createElement('span');
lastKnown.textContent = 'Last known: ';

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
  const focusAgain = rememberFocus();
  if (update(main(document), sent, next)) {
    state.pausedSince = null;
    state.tag = tag;
  } else {
    state.pausedSince ??= Date.now();
  }
  focusAgain();
  document.dispatchEvent(new Event('shown'));
}

/**
 * Replaces the smallest parts that differ, so that all others stay as the reader left them. A part is an element with
 * an ID. The children of a list are parts that can also be added, removed and reordered.
 * @param {Element} region on the page
 * @param {Element} before as the server sent it
 * @param {Element} next
 * @returns {boolean} false if a part is held back
 */
function update(region, before, next) {
  if (before.isEqualNode(next)) return true;
  if (isList(before) && isList(next)) return updateList(region, before, next);
  if (restOf(before) !== restOf(next)) return replace(region, before, next);
  const parts = partsOf(next);
  return partsOf(before)
    .map((part, index) => update(partIn(region, part) ?? part, part, parts[index] ?? part))
    .every(Boolean);
}

/** @param {Element} element */
function isList({ childNodes }) {
  return [...childNodes].every((node) =>
    node instanceof Element ? node.id !== '' : (node.textContent ?? '').trim() === '',
  );
}

/**
 * @param {Element} region
 * @param {Element} before
 * @param {Element} next
 * @returns {boolean} false if a part is held back
 */
function updateList(region, before, next) {
  setAttributes(region, before, next);
  const gone = [...before.children].filter((part) => partIn(next, part) === null);
  const over = gone.filter((part) => !isHeldBack(partIn(region, part) ?? part));
  for (const part of over) for (const tree of [region, before]) partIn(tree, part)?.remove();
  const isShown = [...next.children].map((part) => {
    const [own, old] = [partIn(region, part), partIn(before, part)];
    if (own !== null && old !== null) return update(own, old, part);
    region.append(freshOf(part));
    before.append(cloneOf(part));
    return true;
  });
  for (const tree of [region, before]) arrange(tree, next);
  return over.length === gone.length && isShown.every(Boolean);
}

/**
 * Moves as few parts as possible, because a part that moves loses the focus and its scroll position.
 * @param {Element} list
 * @param {Element} next
 */
function arrange(list, next) {
  let place = list.firstElementChild;
  for (const part of next.children) {
    while (place !== null && partIn(next, place) === null) place = place.nextElementSibling;
    const own = partIn(list, part);
    if (own === place) place = place?.nextElementSibling ?? null;
    else if (own !== null) list.insertBefore(own, place);
  }
}

/**
 * Opens the parts that the server opens. Parts that it closes stay open, because somebody may be reading them.
 * @param {Element} region
 * @param {Element} before
 * @param {Element} next
 */
function setAttributes(region, before, next) {
  for (const { name } of [...before.attributes, ...next.attributes]) {
    const value = next.getAttribute(name);
    if (value === before.getAttribute(name)) continue;
    for (const tree of [region, before]) {
      if (value !== null) tree.setAttribute(name, value);
      else if (name !== 'open' || tree === before) tree.removeAttribute(name);
    }
  }
}

/**
 * @param {ParentNode} tree
 * @param {Element} part
 */
function partIn(tree, { id }) {
  return tree.querySelector(`[id="${CSS.escape(id)}"]`);
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
 * @param {Element} region
 * @param {Element} before
 * @param {Element} next
 * @returns {boolean} false if it is held back
 */
function replace(region, before, next) {
  if (isHeldBack(region)) return false;
  const fresh = freshOf(next);
  before.replaceWith(cloneOf(next));
  keepUnfolded(region, fresh);
  keepCharts(region, fresh);
  region.replaceWith(fresh);
  return true;
}

/** @param {Element} part */
function freshOf(part) {
  const fresh = cloneOf(part);
  addCopyButtons(fresh);
  showDistances(fresh, serverTime());
  return fresh;
}

/** @param {Element} element */
function cloneOf(element) {
  return document.importNode(element, true);
}

/**
 * Selected text must not disappear before it is copied, nor what somebody types before it is sent.
 * @param {Element} region
 */
function isHeldBack(region) {
  const selection = getSelection();
  const isSelected = selection !== null && !selection.isCollapsed && selection.containsNode(region, true);
  const isLong = state.pausedSince !== null && Date.now() - state.pausedSince >= LONGEST_PAUSE_MS;
  return (isSelected && !isLong) || elementsIn(region, 'form[id]').some(isInUse);
}

/** @param {Element} form */
function isInUse(form) {
  const isChanged = [...form.querySelectorAll('input')].some(({ value, defaultValue }) => value !== defaultValue);
  return isChanged || form.contains(document.activeElement);
}

/**
 * Remembers the nearest element with an ID and the position of the keyboard focus within it.
 * @returns {() => void} restores the focus
 */
function rememberFocus() {
  const { activeElement } = document;
  const region = activeElement?.closest('[id]') ?? null;
  const place = region === null ? -1 : elementsIn(region, FOCUSABLE).findIndex((element) => element === activeElement);
  return () => {
    const again = region === null || document.activeElement === activeElement ? null : partIn(document, region);
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
  document.documentElement.classList.toggle('old', isLost);
  tellHeading(isLost);
  tell('lost', isLost ? lostText() : '');
  tell('live', isLost ? '' : liveText(), state.pausedSince === null && !isLost ? `: ${word()}` : '');
  document.getElementById('live')?.classList.toggle('paused', state.pausedSince !== null);
}

/** @param {boolean} isLost */
function tellHeading(isLost) {
  if (!isLost) lastKnown.remove();
  else if (!lastKnown.isConnected) document.querySelector('h1')?.prepend(lastKnown);
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
    ? 'Connected'
    : `Updates are paused because text is selected or a form is in use. Now: ${word()}`;
}

function lostText() {
  const zone = main(document).dataset['timezone'] ?? 'UTC';
  const at = new Date(state.answeredAt + state.skew);
  const time = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeStyle: 'medium' }).format(at);
  return `Unknown: no connection. Below: the state of ${time}. ftm-watch does not answer, or this device is offline`;
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
