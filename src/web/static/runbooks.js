// The script for the runbooks.
import { addCopyButtons } from './copy-buttons.js';

addCopyButtons(document);
