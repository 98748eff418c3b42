// Copies the address of this page. The clipboard's own interface exists only on https and localhost;
// on a lab server reached by plain http the old way through a selected text still works.

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("the browser did not allow copying");
}

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector(".copy-link");
  if (!button.textContent) button.textContent = data.label;
  button.onclick = async () => {
    try {
      await copy(window.location.href);
      button.textContent = "Copied ✓";
    } catch {
      button.textContent = "Copy it from the address bar";
    }
    clearTimeout(button.timer);
    button.timer = setTimeout(() => (button.textContent = data.label), 2000);
  };
}
