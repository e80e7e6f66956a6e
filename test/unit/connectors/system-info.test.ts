import { describe, expect, it } from 'vitest';
import { parseSystemInfo } from '../../../src/connectors/appliances.ts';

const LIVE = {
  cpu: '0%',
  memory: '64%',
  disk: '0%',
  memory_usage_detail: { available: '1427344.0 KB', total: '4032452.0 KB', used: '2605108.0 KB' },
  ftm_usage_detail: { populated: 0, used: 0 },
  ha_sn: '',
  sn: 'FAC-VM0000000000',
  firmware: 'FACVMKVM v8.0.3, build0099 (GA)',
};

describe('parseSystemInfo', () => {
  it('reads what a live 8.0.3 answers', () => {
    expect(parseSystemInfo(LIVE)).toEqual({
      serial: 'FAC-VM0000000000',
      peerSerial: null,
      firmware: 'FACVMKVM v8.0.3, build0099 (GA)',
      tokensPopulated: 0,
      memoryKb: 4_032_452,
      load: { cpu: 0, memory: 0.64, disk: 0 },
    });
  });

  it('reads numbers as the documentation gives them', () => {
    expect(parseSystemInfo({ ...LIVE, memory: 64, cpu: null })?.load).toEqual({ cpu: null, memory: 0.64, disk: 0 });
  });

  it.each<[unknown, string | null]>([
    ['FAC-VM0000000001', 'FAC-VM0000000001'],
    ['', null],
    [undefined, null],
    [null, null],
    ['FAC-VM0000000000', null],
    ['<script>', null],
  ])('reads ha_sn %j as peer %j', (value, peerSerial) => {
    expect(parseSystemInfo({ ...LIVE, ha_sn: value })?.peerSerial).toBe(peerSerial);
  });

  it.each([
    ['4032452.0 KB', 4_032_452],
    ['2029704 KB', 2_029_704],
    ['3.8 GB', null],
    [4_032_452, null],
    [undefined, null],
  ])('reads the memory only in KB: %j', (total, memoryKb) => {
    expect(parseSystemInfo({ ...LIVE, memory_usage_detail: { total } })?.memoryKb).toBe(memoryKb);
    expect(parseSystemInfo({ ...LIVE, memory_usage_detail: 'x' })?.memoryKb).toBeNull();
  });

  it('needs a serial and nothing else', () => {
    expect(parseSystemInfo({ sn: 'FAC-VM0000000000' })).not.toBe(null);
    expect(parseSystemInfo({ ...LIVE, sn: undefined })).toBe(null);
    expect(parseSystemInfo({ ...LIVE, sn: 'a\nb' })).toBe(null);
  });

  it('shows a hostile banner safely', () => {
    expect(parseSystemInfo({ ...LIVE, firmware: `\u001B[31m${'x'.repeat(500)}` })?.firmware).toMatch(
      /^\\u\{1B\}\[31mx+…$/u,
    );
  });
});
