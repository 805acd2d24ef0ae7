/** `backend` and what it can do: build, list, check and remove the native tfjs backend. */
import { Option } from 'commander';
import { TENSORFLOW } from '../../backend/pins.ts';
import type { BackendInstallFlags, BackendRemoveFlags, JsonFlag } from '../flags.ts';
import { after, command, jsonOption, type Tree } from './branch.ts';

export function addBackend({ program, choose }: Tree): void {
  const group = command(program, 'backend', 'the native TensorFlow for tfjs trainers: build it, check it, remove it')
    .helpCommand(false)
    .addHelpText('after', () => after(['nkat-recover backend install', 'nkat-recover backend list']));
  command(group, 'install', 'build tfjs-node-gpu against the TensorFlow of PyPI; the same line again goes on')
    .addOption(new Option('--cpu', 'for the processor: 300 MB to fetch (default where no NVIDIA card is found)'))
    .addOption(
      new Option('--cuda12', 'for NVIDIA cards, with the libraries of CUDA 12: some 3 GB to fetch').conflicts('cpu'),
    )
    .option('--tensorflow <version>', 'another TensorFlow than the tested one', TENSORFLOW)
    .option('--nodedir <folder>', "folder with Node's headers in include/node (default: beside node)")
    .addOption(jsonOption())
    .addHelpText('after', () => after(['nkat-recover backend install', 'nkat-recover backend install --cpu']))
    .action((options: BackendInstallFlags) => {
      choose(async (own) => (await import('../commands/backend-install.ts')).backendInstall(options, own));
    });
  command(group, 'list', 'show what is installed, best first')
    .addOption(jsonOption())
    .addHelpText('after', () => after(['nkat-recover backend list --json']))
    .action((options: JsonFlag) => {
      choose(async (own) => (await import('../commands/backend.ts')).backendList(options, own));
    });
  command(group, 'check', 'compare the files of what is installed with their hashes, and train a step with it')
    .addOption(jsonOption())
    .addHelpText('after', () => after(['nkat-recover backend check']))
    .action((options: JsonFlag) => {
      choose(async (own) => (await import('../commands/backend.ts')).backendCheck(options, own));
    });
  command(
    group,
    'remove',
    'delete what is installed and what an unfinished installation left; training goes on with wasm',
  )
    .addOption(new Option('--cpu', 'only the one for the processor'))
    .addOption(new Option('--cuda12', 'only the one for NVIDIA cards').conflicts('cpu'))
    .addOption(jsonOption())
    .addHelpText('after', () => after(['nkat-recover backend remove', 'nkat-recover backend remove --cpu']))
    .action((options: BackendRemoveFlags) => {
      choose(async (own) => (await import('../commands/backend.ts')).backendRemove(options, own));
    });
}
