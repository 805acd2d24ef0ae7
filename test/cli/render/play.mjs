// Plays scripted events on the renderer that this place asks for. Arguments: path of dist, JSON of the options.
// With `hidden`, another job has the terminal and does not want our words on it. With `drawn`, each progress and each look at a checkpoint is waited for until it stands on the screen.
const [, , dist, text] = process.argv;
const { json = false, quiet = false, events, drawn = false, hidden = false } = JSON.parse(text);
const { chooseRenderer } = await import(`${dist}/cli/render/choose-renderer.js`);
const { guardStreams } = await import(`${dist}/cli/streams.js`);
const { ownTerminal } = await import(`${dist}/cli/terminal.js`);
const { SYSTEM_CLOCKS } = await import(`${dist}/cli/clocks.js`);

let written = '';
let wake = () => {};
const write = process.stderr.write.bind(process.stderr);
process.stderr.write = (text, ...rest) => {
  written += text;
  wake();
  return write(text, ...rest);
};

async function drawnText(text) {
  while (!written.includes(text)) {
    await new Promise((resolve) => {
      wake = resolve;
    });
  }
}

const streams = guardStreams(process.stdout, process.stderr, () => !hidden);
const renderer = await chooseRenderer({ json, quiet, terminal: ownTerminal(), streams, clocks: SYSTEM_CLOCKS });
for (const event of events) {
  renderer.handle(event);
  if (drawn && event.name === 'progress') await drawnText(`step ${event.step}`);
  if (drawn && event.name === 'checkpoint-verifying') await drawnText(`checkpoint ${event.sequence}:`);
}
if (hidden) await new Promise((resolve) => setTimeout(resolve, 1_000));
renderer.close();
