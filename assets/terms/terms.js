const LINK = 'a[href^="#term-"]';

/** Opens the entry of the term that a link of the page names; Escape and a click beside close it. */
export default function ({ data, parentElement }) {
  const dialog = parentElement.querySelector("dialog");
  const show = (event) => {
    const link = event.target.closest?.(LINK);
    const key = link?.getAttribute("href").slice("#term-".length);
    const entry = data.entries[key];
    if (!entry) return;
    event.preventDefault();
    event.stopPropagation();
    dialog.querySelector("h2").textContent = entry.title;
    dialog.querySelector("p").textContent = entry.text;
    dialog.querySelector("a").href = `glossary?term=${encodeURIComponent(entry.title)}`;
    if (!dialog.open) dialog.showModal();
  };
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
  document.addEventListener("click", show, true);
  parentElement.bitlensEnd?.();
  parentElement.bitlensEnd = () => document.removeEventListener("click", show, true);
  return () => parentElement.bitlensEnd();
}
