// The button that copies the app's address. The clipboard's own interface exists only on https and
// localhost; on a lab server reached by plain http the old way through a selected text still works.

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("the browser did not allow copying");
}

export function link(body) {
  body.innerHTML = '<button type="button" class="link" title="Copy the address of what is on the screen"></button>';
  const button = body.querySelector("button");
  let timer;
  return ({ label }) => {
    button.textContent = label;
    button.onclick = async () => {
      try {
        await copy(window.parent.location.href);
        button.textContent = "Copied ✓";
      } catch {
        button.textContent = "Not allowed";
      }
      clearTimeout(timer);
      timer = setTimeout(() => (button.textContent = label), 2000);
    };
  };
}
