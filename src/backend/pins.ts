/**
 * The one table of versions. Every download that it names is compared with its hash; a TensorFlow that it does not name
 * is installed all the same, and its hashes are recorded only.
 */
import type { Flavour } from '../installed-backend.ts';

export interface Wheel {
  readonly name: string;
  readonly version: string;
  /** Null: not pinned. */
  readonly sha256: string | null;
  /** Of the download; null: not known before. */
  readonly bytes: number | null;
}

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** Subresource integrity, as the npm registry tells it: SHA-512 in base 64. */
  readonly integrity: string;
}

export const TENSORFLOW = '2.21.0';
/** Of tfjs-node-gpu, and of the tfjs-core that it works with. */
export const TFJS = '4.22.0';
export const BINDING_PACKAGE = '@tensorflow/tfjs-node-gpu';

/**
 * What of npm is needed at run time beside tfjs-core and tfjs-layers, which are the trainer's own or ours. Its other
 * dependencies serve its install script, which is not run: 127 packages of 300 MB.
 */
export const PACKAGES: readonly NpmPackage[] = [
  {
    name: BINDING_PACKAGE,
    version: TFJS,
    integrity: 'sha512-p//NN6DGiN4hInUmIkRffaFVMcdTREUMjPyjW04J7OXvB2zBlQimj61eFKSgRrH3f5TnOfKzb0n56he/B6a4bw==',
  },
  {
    name: 'google-protobuf',
    version: '3.21.4',
    integrity: 'sha512-MnG7N936zcKTco4Jd2PX2U96Kf9PxygAPKBug+74LHzmHXmceN16MmRcdgZv+DGef/S9YvQAfRsNCn4cjf9yyQ==',
  },
  {
    name: 'progress',
    version: '2.0.3',
    integrity: 'sha512-7PiHtLll5LdnKIMw100I+8xJXR5gW2QwWYkT6iJva0bXitZKa/XMrSbdmg3r2Xnaidz9Qumd0VPaMrZlF9V9sA==',
  },
];

/** The wheel of each flavour that brings TensorFlow itself. */
export const TENSORFLOW_WHEELS: Readonly<Record<Flavour, string>> = { cpu: 'tensorflow-cpu', cuda12: 'tensorflow' };

/**
 * The wheels of one Python are enough, whatever Python asks: only their C++ libraries are taken, and these are the same
 * in each. A pinned wheel is a pinned hash.
 */
export const WHEEL_TAGS: readonly string[] = [
  '--only-binary=:all:',
  '--implementation=cp',
  '--python-version=3.11',
  ...['cp311', 'abi3', 'none'].map((abi) => `--abi=${abi}`),
  ...['_2_28', '_2_27', '_2_17', '_2_12', '2014', '2010'].map((libc) => `--platform=manylinux${libc}_x86_64`),
];

/** Free space that is asked for before anything is fetched: downloads and what comes out of them, rounded up. */
export const NEEDED_BYTES: Readonly<Record<Flavour, number>> = { cpu: 1_500_000_000, cuda12: 7_500_000_000 };

const PINNED: Readonly<Record<string, Readonly<Record<Flavour, readonly Wheel[]>>>> = {
  '2.21.0': {
    cpu: [
      wheel(
        'tensorflow-cpu',
        '2.21.0',
        '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
        273_829_956,
      ),
    ],
    // The `and-cuda` extra, as pip resolved it on 2026-11-23, without nvcc: no program of it is called.
    cuda12: [
      wheel('tensorflow', '2.21.0', '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124'),
      wheel('nvidia-cublas-cu12', '12.9.3.13', 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72'),
      wheel('nvidia-cuda-cupti-cu12', '12.8.90', 'ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182'),
      wheel('nvidia-cuda-nvrtc-cu12', '12.9.86', '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4'),
      wheel('nvidia-cuda-runtime-cu12', '12.9.79', '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3'),
      wheel('nvidia-cudnn-cu12', '9.28.0.42', '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375'),
      wheel('nvidia-cufft-cu12', '11.4.1.4', 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28'),
      wheel('nvidia-curand-cu12', '10.3.10.19', '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e'),
      wheel('nvidia-cusolver-cu12', '11.7.5.82', '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88'),
      wheel('nvidia-cusparse-cu12', '12.5.10.65', '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78'),
      wheel('nvidia-nccl-cu12', '2.32.3', 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c'),
      wheel('nvidia-nvjitlink-cu12', '12.9.86', 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9'),
    ],
  },
};

/**
 * The wheels of a backend. Of a TensorFlow that the table does not name, NVIDIA's are those of the newest that it does
 * name: CUDA 12 keeps its interfaces within the major version.
 */
export function wheelsFor(flavour: Flavour, tensorflow: string): readonly Wheel[] {
  const pinned = PINNED[tensorflow]?.[flavour];
  if (pinned !== undefined) return pinned;
  const others = PINNED[TENSORFLOW]?.[flavour] ?? [];
  const own: Wheel = { name: TENSORFLOW_WHEELS[flavour], version: tensorflow, sha256: null, bytes: null };
  return [own, ...others.filter(({ name }) => name !== own.name)];
}

function wheel(name: string, version: string, sha256: string, bytes: number | null = null): Wheel {
  return { name, version, sha256, bytes };
}
