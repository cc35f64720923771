// Keeps the secret under which the server finds what was dropped in this tab, beyond a reload.

const PLACE = "bitlens";

export default function ({ data, setStateValue }) {
  try {
    if (data.secret) sessionStorage.setItem(PLACE, data.secret);
    else if (sessionStorage.getItem(PLACE)) setStateValue("secret", sessionStorage.getItem(PLACE));
  } catch {
    // A browser that keeps nothing: a reload begins anew.
  }
}
