/** The import rules of the house; test/architecture breaks them on purpose. */
const LEAVES = [
  'errors',
  'make-directory',
  'words',
  'home',
  'units',
  'schema',
  'timer',
  'ups-address',
  'bounded-lines',
  'run-program',
  'executable',
  'installed-backend',
];
const leaf = `^src/(${LEAVES.join('|')})\\.ts$`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'leaves-import-nothing-of-ours',
      severity: 'error',
      from: { path: leaf },
      to: { path: '^src/', pathNot: leaf },
    },
    ...['checkpoint', 'sessions', 'gpu', 'protocol', 'power'].map((room) => ({
      name: `${room}-stands-alone`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: [`^src/${room}/`, leaf] },
    })),
    {
      name: 'worker-stays-small',
      comment: 'The SDK starts inside the training process: protocol and checkpoint only, no supervisor-side library.',
      severity: 'error',
      from: { path: '^src/worker/' },
      to: { path: '^src/', pathNot: ['^src/(worker|protocol|checkpoint)/', leaf] },
    },
    {
      name: 'worker-without-heavy-libraries',
      severity: 'error',
      from: { path: '^src/(worker|protocol|checkpoint)/' },
      to: { path: 'node_modules/(better-sqlite3|commander|ora|pino|chokidar|cli-table3|zod|yaml)/' },
    },
    {
      name: 'supervisor-below-cli',
      severity: 'error',
      from: { path: '^src/supervisor/' },
      to: {
        path: '^src/',
        pathNot: ['^src/(supervisor|checkpoint|sessions|protocol|config|power|gpu|backend)/', leaf],
      },
    },
    {
      name: 'backend-below-supervisor',
      severity: 'error',
      from: { path: '^src/backend/' },
      to: { path: '^src/', pathNot: ['^src/(backend|checkpoint)/', leaf] },
    },
    {
      name: 'drill-below-cli',
      severity: 'error',
      from: { path: '^src/drill/' },
      to: {
        path: '^src/',
        pathNot: ['^src/(drill|supervisor|checkpoint|sessions|protocol|config|gpu|backend)/', leaf],
      },
    },
    {
      name: 'doctor-below-cli',
      severity: 'error',
      from: { path: '^src/doctor/' },
      to: {
        path: '^src/',
        pathNot: ['^src/(doctor|gpu|power|sessions|backend)/', '^src/worker/tfjs/backend\\.ts$', leaf],
      },
    },
    {
      name: 'config-knows-no-room',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^src/', pathNot: ['^src/config/', leaf] },
    },
    {
      name: 'terminal-libraries-only-in-cli',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: 'node_modules/(ora|cli-table3|commander|yoctocolors)/' },
    },
    {
      name: 'trainers-use-the-public-sdk',
      severity: 'error',
      from: { path: '^trainers/' },
      to: { path: '^(src|dist|bin|test)/', pathNot: '^(src|dist)/worker/(index|tfjs/index)\\.(ts|js|d\\.ts)$' },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'default'] },
  },
};
