import { expect, it } from 'vitest';
import {
  FOLDER_ENTRY_BYTES,
  MAX_FOLDER_BYTES,
  MAX_NAME_BYTES,
} from '../../../../../src/domain/program/path-bounds.ts';
import { ResultRoom } from '../../../../../src/provider/sandbox/child/result-room.ts';

const long = (index: number): string => String(index).padStart(MAX_NAME_BYTES, 'n');

it('a folder of a result holds as many names as fit into a block, whatever else there is', () => {
  const room = new ResultRoom();
  const most = Math.floor(MAX_FOLDER_BYTES / (MAX_NAME_BYTES + FOLDER_ENTRY_BYTES));
  const refused = Array.from({ length: 10_000 }, (_, index) => room.refuse(`folder/${long(index)}`));
  expect(refused.filter((why) => why === undefined)).toHaveLength(most);
  expect(refused.at(-1)).toContain('more names in one folder');
  expect(room.refuse(`folder/${long(10_000)}/short`)).toContain('more names in one folder');
  expect(room.refuse('other/short')).toBeUndefined();
});

it('ten thousand files of ordinary names fit into one folder', () => {
  const room = new ResultRoom();
  for (let index = 0; index < 10_000; index += 1) {
    expect(room.refuse(`results/2026-11-30/measurement-${index}.json`)).toBeUndefined();
  }
});

it('a path that is too long has no room', () => {
  const deep = Array.from({ length: 20 }, () => 'n'.repeat(250)).join('/');
  expect(new ResultRoom().refuse(deep)).toContain('4096 bytes');
});
