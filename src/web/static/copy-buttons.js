const SHOWN_FOR_MS = 2_000;

/**
 * Adds a copy button to every element marked with `data-copy`.
 * @param {ParentNode} root
 */
export function addCopyButtons(root) {
  for (const element of root.querySelectorAll('[data-copy]')) {
    place(copyButton(textOf(element)), element);
  }
}

/**
 * Inserts the button. The text of a block flows around the button. In a scrollable block, the content would move under
 * the button, so the button is added to the label or before the block. Next to a word, the button is not selectable.
 * @param {HTMLButtonElement} button
 * @param {Element} element
 */
function place(button, element) {
  const label = element.previousElementSibling;
  if (element.matches('.block')) element.prepend(button);
  else if (!element.matches('pre')) element.after(button);
  else if (label?.matches('p') === true) label.append(button);
  else element.before(button);
}

/**
 * @param {Element} element
 * @returns {string}
 */
function textOf(element) {
  const lines = [...element.querySelectorAll('.line')].map((line) => line.textContent ?? '');
  return lines.length > 0 ? lines.join('\n') : (element.textContent ?? '');
}

/**
 * @param {string} text
 * @returns {HTMLButtonElement}
 */
function copyButton(text) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'copy';
  button.textContent = 'Copy';
  button.setAttribute('aria-label', `Copy ${text.slice(0, 60)}`);
  button.addEventListener('click', () => {
    void copy(text, button);
  });
  return button;
}

/**
 * @param {string} text
 * @param {HTMLButtonElement} button
 */
async function copy(text, button) {
  button.textContent = (await write(text)) ? 'Copied' : 'Not copied';
  // Screen readers read the label of a button only once.
  const told = document.createElement('p');
  told.className = 'unseen';
  told.setAttribute('role', 'status');
  document.body.append(told);
  told.textContent = button.textContent;
  setTimeout(() => {
    button.textContent = 'Copy';
    told.remove();
  }, SHOWN_FOR_MS);
}

/**
 * @param {string} text
 * @returns {Promise<boolean>}
 */
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return writeWithoutTls(text);
  }
}

/**
 * Copies without the clipboard API, which browsers offer only to pages loaded over TLS or from this machine.
 * @param {string} text
 * @returns {boolean}
 */
function writeWithoutTls(text) {
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  // oxlint-disable-next-line typescript/no-deprecated -- there is no alternative without TLS
  const done = document.execCommand('copy');
  area.remove();
  return done;
}
