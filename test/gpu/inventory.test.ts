import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Inventory, readInventory } from '../../src/gpu/inventory.ts';
import { readXml } from '../../src/gpu/xml-elements.ts';

const PROGRAM = join(import.meta.dirname, '../../fixtures/fake-nvidia-smi/nvidia-smi.mjs');

function printed(model: string): string {
  const scene = join(import.meta.dirname, `../../fixtures/fake-nvidia-smi/scenes/${model}.json`);
  const env = { ...process.env, FAKE_SMI_SCENE: scene };
  return spawnSync(PROGRAM, ['-q', '-x'], { encoding: 'utf8', env }).stdout;
}

function inventory(model: string): Inventory {
  const read = readInventory(printed(model));
  if (read === null) throw new Error(`no inventory of ${model}`);
  return read;
}

describe('the inventory', () => {
  it.each([
    ['rtx3080', '13.2', { targetC: 83, maxOperatingC: 93, slowdownC: 95, shutdownC: 98, slowdownMarginC: null }, 320],
    ['gtx1070ti', '10.1', { targetC: null, maxOperatingC: null, slowdownC: 96, shutdownC: 99 }, 180],
    ['t4', '11.7', { targetC: null, maxOperatingC: 85, slowdownC: 93 }, 70],
    ['h100', '13.1', { slowdownC: null, maxOperatingMarginC: 0, slowdownMarginC: -2, shutdownMarginC: -8 }, 700],
  ])('has the limits of %s', (model, cuda, limits, powerDefaultW) => {
    const { cudaVersion, cards } = inventory(model);
    expect(cudaVersion).toBe(cuda);
    expect(cards[0]?.temperature).toMatchObject(limits);
    expect(cards[0]?.powerDefaultW).toBe(powerDefaultW);
  });

  it('has the processes of every kind, and the instances of a card that is split', () => {
    expect(inventory('two-users').cards[0]?.processes).toEqual([
      { pid: 4242, type: 'C', name: '/usr/bin/python3', memoryMib: 5200 },
      { pid: 900, type: 'G', name: '/usr/lib/xorg/Xorg', memoryMib: null },
    ]);
    expect(inventory('h100mig').cards[0]?.instances).toEqual([
      { index: 0, memoryTotalMib: 40448, memoryUsedMib: 9100 },
      { index: 1, memoryTotalMib: 20096, memoryUsedMib: 2900 },
    ]);
  });

  it('is none when it was cut anywhere', () => {
    const text = printed('two-users').trimEnd();
    for (let end = 0; end < text.length; end += 7) expect(readInventory(text.slice(0, end))).toBeNull();
    expect(readInventory(text)).not.toBeNull();
  });
});

describe('XML', () => {
  it('has elements, attributes, text and entities', () => {
    const root = readXml(
      '<?xml version="1.0" ?>\n<!DOCTYPE a SYSTEM "b.dtd">\n<!-- c --><a x="1 &amp; 2"><b/>t &lt;&#65;&#x42;&quot;</a>\n',
    );
    expect(root).toEqual({
      name: 'a',
      attributes: { x: '1 & 2' },
      text: 't <AB"',
      children: [{ name: 'b', attributes: {}, text: '', children: [] }],
    });
  });

  it.each([
    '',
    'words',
    '<a>',
    '<a></b>',
    '<a></a><b></b>',
    '<a><![CDATA[x]]></a>',
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<a b=c></a>',
    `${'<a>'.repeat(40)}${'</a>'.repeat(40)}`,
  ])('is refused as a whole: %s', (text) => {
    expect(readXml(text)).toBeNull();
  });
});
