import { type Markup, markup } from './markup.ts';

/** What a list leaves out, if anything, and where all of it is. */
export function more(count: number, what: 'incidents' | 'notifications' | 'silences' | 'status'): Markup | null {
  return count > 0 ? markup`<p class="quiet">and ${count} more: <a href="api/v1/${what}">as JSON</a></p>` : null;
}
