import { strToU8, type Zippable, zipSync } from 'fflate';
import type { EpochMs } from '../core/clock.ts';
import { checklistOf } from '../document/checklist.ts';
import type { Mask } from '../text/mask.ts';
import { ticketFile, ticketItems } from './add-by-hand.ts';
import { answersText, verdictLines } from './answers-text.ts';
import { renderDiagnosis } from './report-text.ts';
import { createSecretRemover, fileName, maskedDiagnosis, type ReportSources } from './report-contents.ts';
import { isoTime } from '../core/time-text.ts';
import { logExcerptsText, maskedHistory } from './timeline.ts';
import { maskFor, reportData } from './report-data.ts';
import { reportHtml } from './report-html.ts';
import { capturedCertificates, keptCertificates, seenChains } from './seen.ts';

export interface ReportArchive {
  /** Such as `ftm-watch-report-hq-20261124T195500Z`. */
  readonly folder: string;
  readonly files: readonly { readonly name: string; readonly size: number }[];
  readonly bytes: Uint8Array;
}

type File = readonly [name: string, text: string];

/** Secrets are removed from all files. */
export function reportArchive(sources: ReportSources): ReportArchive {
  const folder = `ftm-watch-report-${fileName(sources.site)}-${fileTime(sources.writtenAt)}`;
  const withoutSecrets = createSecretRemover(sources.secrets);
  const files = filesOf(sources).map(([name, text]) => ({ name, bytes: strToU8(withoutSecrets(text)) }));
  const entries: Zippable = Object.fromEntries(files.map(({ name, bytes }) => [`${folder}/${name}`, bytes]));
  return {
    folder,
    files: files.map(({ name, bytes }) => ({ name, size: bytes.length })),
    bytes: zipSync(entries, { level: 9, os: UNIX, attrs: OWNER_ONLY, mtime: zipTime(sources.writtenAt) }),
  };
}

function filesOf(sources: ReportSources): readonly File[] {
  const mask = maskFor(sources);
  const history = maskedHistory(sources.storedHistory, mask);
  const data = reportData(sources, history, mask);
  const certificates: readonly File[] = [
    ...seenChains(sources.examination),
    ...keptCertificates(sources.storedHistory),
    ...capturedCertificates(sources.capture),
  ].map(({ file, pem }) => [`certificates/${file}`, pem]);
  const byHand = ticketItems(sources.examination);
  const answers = answersText(sources.examination.observations, mask);
  const others: readonly File[] = [
    ['report.json', `${JSON.stringify(data, null, 2)}\n`],
    ['checklist.txt', checklistText(sources, answers, mask)],
    ['log-excerpts.txt', logExcerptsText(data.logExcerpts)],
    ...certificates,
    ticketFile(byHand),
  ];
  const checklist = checklistOf(maskedDiagnosis(sources.examination.diagnosis, mask), 'whole').items;
  const files = others.map(([name]) => name);
  return [['report.html', reportHtml(data, history, { answers, byHand, checklist, files })], ...others];
}

/** The output of `check`, followed by all responses with their times and by the verdicts on all certificate chains. */
function checklistText({ examination, versions }: ReportSources, answers: string, mask: Mask): string {
  const { diagnosis, observations, targets } = examination;
  return [
    `ftm-watch ${versions.ftmWatch}: evidence from ${isoTime(observations.startedAt)}`,
    '',
    // Text is masked before it is wrapped, because a name that is broken across lines would not be recognized.
    renderDiagnosis(maskedDiagnosis(diagnosis, mask), { color: false, width: 100 }, { all: true }),
    answers,
    ...targets.flatMap(({ tls: { endpoints } }) => endpoints.flatMap(verdictLines)).map((line) => mask.line(line)),
  ].join('\n');
}

/**
 * "Version made by" Unix (APPNOTE.TXT 4.4.2 and 4.4.15) allows the archive to contain file modes, so that only the
 * owner can read the unpacked files.
 */
const UNIX = 3;
const OWNER_ONLY = 0o100600 * 2 ** 16;

const EARLIEST: EpochMs = Date.UTC(1980, 0, 1);
const LATEST: EpochMs = Date.UTC(2100, 0, 1) - 1;

/**
 * Zip times have no time zone and start in 1980 (APPNOTE.TXT 4.4.6). The time is in UTC and limited to the valid range,
 * so that the report can be created even if the system clock is wrong.
 */
function zipTime(at: EpochMs): Date {
  // The zip library expects local time. Without a zone suffix, the text is parsed as local time.
  return new Date(isoTime(Math.min(Math.max(at, EARLIEST), LATEST)).slice(0, -1));
}

/** Returns text that sorts by time, such as `20261124T195500Z`. */
function fileTime(at: EpochMs): string {
  return isoTime(at)
    .replaceAll(/[-:]|\.\d+/gu, '')
    .replace(' ', '-');
}
