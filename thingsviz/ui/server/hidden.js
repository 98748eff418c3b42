// A tab that nobody sees asks the server for nothing. Streamlit goes on asking for live fragments
// in hidden tabs; it does so by setInterval with a second or more. Such calls wait here while the
// page is hidden, and are made up for, once, when it is seen again.
{
  const LONG_MS = 1000;
  const every = window.setInterval.bind(window), clear = window.clearInterval.bind(window);
  const missed = new Map();

  window.setInterval = (call, ms, ...rest) => {
    if (typeof call !== "function" || !(ms >= LONG_MS)) return every(call, ms, ...rest);
    const timer = every(() => (document.hidden ? missed.set(timer, run) : run()), ms);
    const run = () => call(...rest);
    return timer;
  };

  window.clearInterval = (timer) => {
    missed.delete(timer);
    clear(timer);
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    for (const [timer, run] of [...missed]) if (missed.delete(timer)) run();
  });
}
