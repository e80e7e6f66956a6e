// The script for the incident pages. Their content is not updated, so that it does not change while somebody types.
import { addCopyButtons } from './copy-buttons.js';
import { keepDistances } from './distance.js';

/** The difference between the server's clock and the browser's clock. */
const skew = Number(document.querySelector('main')?.dataset['now']) - Date.now();

addCopyButtons(document);
keepDistances(() => Date.now() + skew);
