// Light or dark, as the system has it or as was chosen here.

const KEY = "theme";

/** @param {HTMLSelectElement} select with the values "", "light" and "dark" */
export function followTheme(select) {
  const apply = (theme) => (document.documentElement.dataset.theme = theme);
  select.addEventListener("change", () => {
    apply(select.value);
    stored(() => localStorage.setItem(KEY, select.value));
  });
  select.value = stored(() => localStorage.getItem(KEY)) ?? "";
  apply(select.value);
}

/** Browsers may forbid storage. */
function stored(access) {
  try {
    return access();
  } catch {
    return null;
  }
}
