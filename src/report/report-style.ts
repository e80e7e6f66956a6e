import { type Markup, markup } from '../web/page/markup.ts';

/** The style of the report, in the file itself: it is read where nothing can be fetched, on a phone, and on paper. */
export const REPORT_STYLE: Markup = markup`<style>
:root { color-scheme: light dark; --text: #18212d; --quiet: #566274; --line: #d9dfe7; --sunk: #f2f4f7; --page: #fff;
  --bad: #be2419; --warn: #925200; --good: #19774a; --unsure: #6a4bb8; --none: #616c7c; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e9f0; --quiet: #9ba8b8; --line: #2b3643; --sunk: #1a222c; --page: #0e1319;
    --bad: #ff7d73; --warn: #f0b54a; --good: #4cc58c; --unsure: #b9a0f8; --none: #8794a5; }
}
* { box-sizing: border-box; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; padding-top: .5rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p, ul, ol, dl { margin: .25rem 0 .5rem; }
ul, ol { padding-left: 1.5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }
dt, .quiet { color: var(--quiet); }
dd { margin: 0; min-width: 0; }
pre { margin: .5rem 0; padding: .5rem .75rem; background: var(--sunk); border-radius: 4px; white-space: pre-wrap;
  font: 13px/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font: .875em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
table { width: 100%; border-collapse: collapse; font-size: .9375rem; }
th, td { padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
/* Only free text, which stands last, is broken anywhere: it would leave the other columns a letter's width. */
th, td:not(:last-child) { white-space: nowrap; }
.bad { color: var(--bad); } .warn { color: var(--warn); } .good { color: var(--good); }
.unsure { color: var(--unsure); } .none, .wait, .info { color: var(--none); }
.facts { gap: .5rem 1rem; } .facts > dd > :first-child { margin-top: 0; }
.plain { list-style: none; padding: 0; } nav ul { columns: 3 10rem; }
a { color: inherit; } summary { cursor: pointer; min-height: 24px; } summary h2 { display: inline; border: 0; }
.appendix { margin-top: 1rem; padding-top: .5rem; border-top: 1px solid var(--line); }
@media (max-width: 40rem) {
  body { padding: .75rem; }
  dl, .facts { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
  table, tbody, tr, td { display: block; } thead { position: absolute; clip-path: inset(50%); }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  td, td:not(:last-child) { padding: 0; border: 0; white-space: normal; }
}
@media print {
  :root { color-scheme: light; --text: #000; --quiet: #444; --line: #bbb; --sunk: #f4f4f4; --page: #fff;
    --bad: #a01208; --warn: #6d3c00; --good: #0d5c36; --unsure: #4a2f93; --none: #444; }
  body { max-width: none; padding: 0; font-size: 10.5pt; } pre { font-size: 8.5pt; }
  h2, h3 { break-after: avoid; } tr, li { break-inside: avoid; } main > .appendix:first-of-type { break-before: page; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
}
</style>`;
