// What a page gains from script. Every page works without it.

(function (): void {
  const root = document.documentElement;
  root.classList.add("js");
  const data = document.body.dataset;
  const token = (document.querySelector('meta[name="csrf"]') as HTMLMetaElement | null)?.content ?? "";

  // Requests of htmx carry the token of the forms.
  document.body.addEventListener("htmx:configRequest", (event: Event): void => {
    (event as CustomEvent).detail.headers["X-CSRF-Token"] = token;
  });

  // Times: the node's clock, not this machine's, moved on by a clock that never jumps.
  const nodeNow = Number(data.now ?? "0") - performance.now();
  const words = (data.ago ?? "").split("|");

  function ago(since: number): string | null {
    const minutes = Math.floor((nodeNow + performance.now() - since) / 60000);
    if (words.length !== 4 || minutes < 0) return null;
    if (minutes < 1) return words[0];
    if (minutes < 60) return words[1].replace("{n}", String(minutes));
    if (minutes < 1440) return words[2].replace("{n}", String(Math.floor(minutes / 60)));
    return words[3].replace("{n}", String(Math.floor(minutes / 1440)));
  }

  function tellTimes(): void {
    document.querySelectorAll<HTMLElement>("[data-since]").forEach((element) => {
      const text = ago(Number(element.dataset.since));
      if (text !== null) element.textContent = text;
    });
  }
  window.setInterval(tellTimes, 20000);

  // Drafts: what was typed is kept every 5 s, if it changed.
  function typed(form: HTMLFormElement): string {
    const fields = new URLSearchParams();
    new FormData(form).forEach((value, name) => {
      const box = form.elements.namedItem(name);
      const secret = box instanceof HTMLInputElement && box.type === "password";
      if (typeof value === "string" && !secret) fields.append(name, value);
    });
    return fields.toString();
  }

  const kept = new Map<HTMLFormElement, string>();

  async function keep(form: HTMLFormElement): Promise<void> {
    const now = typed(form);
    // A form that was sent is the node's: its draft must not come back behind it.
    if (form.dataset.sent || kept.get(form) === now) return;
    const state = form.querySelector<HTMLElement>("[data-draft-state]");
    let saved = false;
    try {
      const answer = await fetch(form.dataset.draft as string, {
        method: "POST",
        headers: { "Content-Type": "application/x-www-form-urlencoded", "X-CSRF-Token": token },
        body: now,
        keepalive: true,
      });
      saved = answer.ok && !answer.redirected;
    } catch {
      saved = false;
    }
    if (saved) kept.set(form, now);
    if (state) state.textContent = (saved ? state.dataset.saved : state.dataset.unsaved) ?? "";
  }

  const drafts = Array.from(document.querySelectorAll<HTMLFormElement>("form[data-draft]"));
  // What came back to be mended was sent before it was kept: the draft may be older than the page.
  const refused = document.querySelector("#errors, form[data-draft] .complaint, [name=another]");
  if (!refused) drafts.forEach((form) => kept.set(form, typed(form)));
  const keepAll = (): Promise<void[]> => Promise.all(drafts.map(keep));
  if (drafts.length > 0) window.setInterval(keepAll, 5000);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") void keepAll();
  });

  // A second touch on a button does not send a form twice.
  let sendingUntil = 0;
  document.addEventListener("submit", (event: Event): void => {
    const form = event.target as HTMLFormElement;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    // Files may be on their way for long: locking the page would break them off.
    if (form.enctype === "multipart/form-data") sendingUntil = Date.now() + 1_800_000;
    const sending = form.querySelector<HTMLElement>("[data-sending]");
    if (sending) sending.textContent = sending.dataset.sending ?? "";
    window.setTimeout(() => delete form.dataset.sent, 4000);
  });

  // The lock: after some time without a touch in any tab of this browser. The node locks by
  // itself too; this only hides the page in time.
  const lockAfter = Number(data.lockAfter ?? "0") * 1000;
  const lock = document.getElementById("lock") as HTMLFormElement | null;
  if (lockAfter > 0 && lock) {
    let noted = 0;
    const touched = (): void => {
      const now = Date.now();
      if (now - noted < 1000) return;
      noted = now;
      try {
        localStorage.setItem("ondol-touched", String(now));
      } catch {
        // Without storage each tab counts for itself.
      }
    };
    const lastTouch = (): number => {
      try {
        return Math.max(noted, Number(localStorage.getItem("ondol-touched") ?? "0"));
      } catch {
        return noted;
      }
    };
    ["pointerdown", "keydown", "wheel", "touchmove"].forEach((name) =>
      document.addEventListener(name, touched, { passive: true }),
    );
    touched();
    const watch = window.setInterval(() => {
      if (Date.now() - lastTouch() < lockAfter || Date.now() < sendingUntil) return;
      window.clearInterval(watch);
      // A link that hangs must not hold the lock open.
      const patience = new Promise((resolve) => window.setTimeout(resolve, 2000));
      void Promise.race([keepAll(), patience]).then(() => lock.submit());
    }, 2000);
  }

  // Printing.
  document.querySelectorAll<HTMLElement>("[data-print]").forEach((button) =>
    button.addEventListener("click", () => window.print()),
  );

  // The pad of a PIN types into its field.
  document.querySelectorAll<HTMLElement>("[data-pad]").forEach((pad) => {
    const field = document.getElementById(pad.dataset.pad ?? "") as HTMLInputElement | null;
    pad.addEventListener("click", (event: Event): void => {
      const key = (event.target as HTMLElement).closest<HTMLButtonElement>("button[type=button]");
      if (!key || !field) return;
      field.value = key.value === "back" ? field.value.slice(0, -1) : field.value + key.value;
    });
  });

  // A page with complaints begins at their summary.
  document.getElementById("errors")?.focus();

  // Grids: Enter and the arrows walk up and down a column.
  document.addEventListener("keydown", (event: KeyboardEvent): void => {
    const box = event.target;
    const step = event.key === "Enter" || event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || !(box instanceof HTMLInputElement)) return;
    const cell = box.closest<HTMLTableCellElement>(".grid td");
    const row = cell?.parentElement;
    if (!cell || !row || box.hasAttribute("list")) return;
    const rows = Array.from(row.parentElement?.children ?? []) as HTMLTableRowElement[];
    const target = rows[rows.indexOf(row as HTMLTableRowElement) + step]?.cells[cell.cellIndex];
    event.preventDefault();
    target?.querySelector<HTMLInputElement>("input")?.focus();
  });
})();
