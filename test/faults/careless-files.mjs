// File operations that are careless about one kind of error: the proof that who looks for the harm finds it.

/** @param ignored `sync`, `syncDirectory`, `write` or `rename`: its errors are passed over in silence */
export function careless(files, ignored) {
  const forgiving = (name, run, instead) => (name === ignored ? run().catch(() => instead) : run());
  const opened = (file) => ({
    direct: file.direct,
    read: (...args) => file.read(...args),
    // What was not written is taken for written.
    write: (...args) => forgiving('write', () => file.write(...args), args[2]),
    truncate: (bytes) => file.truncate(bytes),
    sync: () => forgiving('sync', () => file.sync()),
    facts: () => file.facts(),
    close: () => file.close(),
  });
  return {
    ...files,
    open: async (...args) => opened(await files.open(...args)),
    rename: (...args) => forgiving('rename', () => files.rename(...args)),
    syncDirectory: (path) => forgiving('syncDirectory', () => files.syncDirectory(path)),
  };
}
