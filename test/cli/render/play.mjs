// Plays scripted events on the renderer that this place asks for. Arguments: path of dist, JSON of the options.
// Stdin is not used, so that the play runs the same on a terminal and without one.
const [, , dist, text] = process.argv;
const { json = false, quiet = false, events, stay = 0 } = JSON.parse(text);
const { chooseRenderer } = await import(`${dist}/cli/render/choose-renderer.js`);
const { guardStreams } = await import(`${dist}/cli/streams.js`);
const { ownTerminal } = await import(`${dist}/cli/terminal.js`);
const { SYSTEM_CLOCKS } = await import(`${dist}/cli/clocks.js`);

const streams = guardStreams(process.stdout, process.stderr);
const renderer = await chooseRenderer({ json, quiet, terminal: ownTerminal(), streams, clocks: SYSTEM_CLOCKS });
for (const event of events) {
  renderer.handle(event);
  if (event.name === 'progress') await new Promise((resolve) => setTimeout(resolve, stay));
}
renderer.close();
