/** Runs every stop, the latest first, also when one of them fails; then throws the first failure. */
export async function stopAll(stops: (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  while (stops.length > 0)
    await stops
      .pop()?.()
      .catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** The same where an error is on its way already, which says more than the clean-up's: that one is only noted. */
export async function stopAllAfterFailure(
  stops: (() => Promise<void>)[],
  note: (sentence: string) => void,
): Promise<void> {
  await stopAll(stops).catch((error: unknown) =>
    note(`Not everything could be stopped: ${error instanceof Error ? error.message : String(error)}`),
  );
}
