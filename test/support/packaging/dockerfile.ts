/** An instruction of a Dockerfile: its keyword in capitals, and the rest on one line. */
export interface Instruction {
  readonly keyword: string;
  readonly value: string;
}

/** The instructions between one FROM and the next. */
export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** Returns the stages of a Dockerfile. Here-documents are not supported. */
export function stagesOf(text: string): readonly Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/gu, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: { readonly name: string; readonly base: string; readonly instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, keyword = '', value = ''] = /^(\S+)\s+(.*)$/u.exec(line) ?? [];
    const [base = '', , name = ''] = value.split(/\s+/u).filter((word) => !word.startsWith('--'));
    if (keyword.toUpperCase() === 'FROM') stages.push({ name, base, instructions: [] });
    else stages.at(-1)?.instructions.push({ keyword: keyword.toUpperCase(), value });
  }
  return stages;
}

/** Returns the values of an instruction, in order. */
export function valuesOf(stage: Stage, keyword: string): readonly string[] {
  return stage.instructions.filter((instruction) => instruction.keyword === keyword).map(({ value }) => value);
}
