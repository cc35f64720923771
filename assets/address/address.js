const MARK = Symbol.for("bitlens.oneEntryForEachPage");

/**
 * Streamlit adds an entry to the history whenever a script changes the address. Here a page that
 * was opened has one entry, so that one press of Back leaves it.
 */
function keepOneEntryForEachPage() {
  if (window[MARK]) return;
  window[MARK] = true;
  const push = history.pushState.bind(history);
  history.pushState = (state, unused, url) => {
    const there = new URL(url ?? location.href, location.href);
    if (there.pathname === location.pathname) history.replaceState(state, unused, url);
    else push(state, unused, url);
  };
}

/** What the address says, in words; `titles` are those of its parameters. */
function contents(search, titles) {
  const query = [...new URLSearchParams(search)].filter(([name]) => !name.startsWith("embed"));
  const names = query.map(([name]) => titles[name] ?? name);
  const last = names.pop();
  const list = names.length ? `${names.join(", ")} and ${last}` : last;
  const held = last
    ? `It holds ${list}; all else is as the page begins.`
    : "It opens this page as it begins.";
  const own = query.some(([, value]) => value.startsWith("Your own"));
  return own ? `${held} Your own file is not in it: it stays here.` : held;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea"); // where a page is not served safely
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

export default function ({ data, parentElement }) {
  keepOneEntryForEachPage();
  const said = parentElement.querySelector(".said");
  parentElement.querySelector("button").onclick = async () => {
    const copied = await copy(location.href);
    const words = copied ? "Link copied." : "Copy the address of this page by hand.";
    said.textContent = `${words} ${contents(location.search, data.titles)}`;
  };
}
