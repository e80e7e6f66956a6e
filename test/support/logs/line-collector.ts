import type { LineSink } from '../../../src/logs/framing.ts';

export interface CollectedLine {
  readonly text: string;
  readonly cut: boolean;
}

export interface LineCollector {
  readonly lines: CollectedLine[];
  readonly sink: LineSink;
}

export function lineCollector(): LineCollector {
  const lines: CollectedLine[] = [];
  return { lines, sink: (text, cut) => void lines.push({ text, cut }) };
}
