// How our views talk with Streamlit (components v1): say that they are ready, hear what to show, say how
// high they are. Components v2 need no frame, but their state cannot be pickled, and
// `runner.enforceSerializableSessionState` then stops the page.

const tell = (type, more) => window.parent.postMessage({ isStreamlitMessage: true, type: `streamlit:${type}`, ...more }, "*");

function dress(theme) {
  const names = { text: theme.textColor, background: theme.backgroundColor, surface: theme.secondaryBackgroundColor, primary: theme.primaryColor };
  for (const [name, colour] of Object.entries(names)) document.documentElement.style.setProperty(`--${name}`, colour);
  document.documentElement.style.colorScheme = theme.base;
}

// The app's font is known to its page only: lend its rules to this frame.
function borrowFont() {
  const rules = [];
  for (const sheet of window.parent.document.styleSheets) {
    const base = sheet.href ?? window.parent.document.baseURI;
    try {
      for (const rule of sheet.cssRules) if (rule.constructor.name === "CSSFontFaceRule" && /Source Sans/.test(rule.cssText)) {
        rules.push(rule.cssText.replace(/url\("([^"]+)"\)/g, (_, url) => `url("${new URL(url, base)}")`));
      }
    } catch { /* a sheet of somebody else */ }
  }
  const style = document.createElement("style");
  style.textContent = rules.join("\n");
  document.head.append(style);
}

// Keys that mean nothing here belong to the page: previous and next trial.
function passKeysOn() {
  document.addEventListener("keydown", (e) => {
    const { key, code, ctrlKey, metaKey, altKey, shiftKey } = e;
    const event = new KeyboardEvent("keydown", { key, code, ctrlKey, metaKey, altKey, shiftKey, bubbles: true, cancelable: true });
    window.parent.document.body.dispatchEvent(event);
  });
}

export function start(show) {
  borrowFont();
  passKeysOn();
  window.addEventListener("message", ({ data }) => {
    if (data.type !== "streamlit:render") return;
    dress(data.theme);
    show(data.args);
  });
  const body = document.body;
  new ResizeObserver(() => tell("setFrameHeight", { height: Math.ceil(body.getBoundingClientRect().height) })).observe(body);
  tell("componentReady", { apiVersion: 1 });
}
