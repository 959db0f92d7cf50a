"use strict";
(function () {
    var _a, _b, _c, _d, _e, _f;
    const root = document.documentElement;
    root.classList.add("js");
    const data = document.body.dataset;
    const token = (_b = (_a = document.querySelector('meta[name="csrf"]')) === null || _a === void 0 ? void 0 : _a.content) !== null && _b !== void 0 ? _b : "";
    document.body.addEventListener("htmx:configRequest", (event) => {
        event.detail.headers["X-CSRF-Token"] = token;
    });
    const nodeNow = Number((_c = data.now) !== null && _c !== void 0 ? _c : "0") - performance.now();
    const words = ((_d = data.ago) !== null && _d !== void 0 ? _d : "").split("|");
    function ago(since) {
        const minutes = Math.floor((nodeNow + performance.now() - since) / 60000);
        if (words.length !== 4 || minutes < 0)
            return null;
        if (minutes < 1)
            return words[0];
        if (minutes < 60)
            return words[1].replace("{n}", String(minutes));
        if (minutes < 1440)
            return words[2].replace("{n}", String(Math.floor(minutes / 60)));
        return words[3].replace("{n}", String(Math.floor(minutes / 1440)));
    }
    function tellTimes() {
        document.querySelectorAll("[data-since]").forEach((element) => {
            const text = ago(Number(element.dataset.since));
            if (text !== null)
                element.textContent = text;
        });
    }
    window.setInterval(tellTimes, 20000);
    function typed(form) {
        const fields = new URLSearchParams();
        new FormData(form).forEach((value, name) => {
            const box = form.elements.namedItem(name);
            const secret = box instanceof HTMLInputElement && box.type === "password";
            if (typeof value === "string" && !secret)
                fields.append(name, value);
        });
        return fields.toString();
    }
    const kept = new Map();
    async function keep(form) {
        var _a;
        const now = typed(form);
        if (form.dataset.sent || kept.get(form) === now)
            return;
        const state = form.querySelector("[data-draft-state]");
        let saved = false;
        try {
            const answer = await fetch(form.dataset.draft, {
                method: "POST",
                headers: { "Content-Type": "application/x-www-form-urlencoded", "X-CSRF-Token": token },
                body: now,
                keepalive: true,
            });
            saved = answer.ok && !answer.redirected;
        }
        catch (_b) {
            saved = false;
        }
        if (saved)
            kept.set(form, now);
        if (state)
            state.textContent = (_a = (saved ? state.dataset.saved : state.dataset.unsaved)) !== null && _a !== void 0 ? _a : "";
    }
    const drafts = Array.from(document.querySelectorAll("form[data-draft]"));
    const refused = document.querySelector("#errors, form[data-draft] .complaint, [name=another]");
    if (!refused)
        drafts.forEach((form) => kept.set(form, typed(form)));
    const keepAll = () => Promise.all(drafts.map(keep));
    if (drafts.length > 0)
        window.setInterval(keepAll, 5000);
    document.addEventListener("visibilitychange", () => {
        if (document.visibilityState === "hidden")
            void keepAll();
    });
    let sendingUntil = 0;
    document.addEventListener("submit", (event) => {
        var _a;
        const form = event.target;
        if (form.dataset.sent)
            event.preventDefault();
        form.dataset.sent = "yes";
        if (form.enctype === "multipart/form-data")
            sendingUntil = Date.now() + 1800000;
        const sending = form.querySelector("[data-sending]");
        if (sending)
            sending.textContent = (_a = sending.dataset.sending) !== null && _a !== void 0 ? _a : "";
        window.setTimeout(() => delete form.dataset.sent, 4000);
    });
    const lockAfter = Number((_e = data.lockAfter) !== null && _e !== void 0 ? _e : "0") * 1000;
    const lock = document.getElementById("lock");
    if (lockAfter > 0 && lock) {
        let noted = 0;
        const touched = () => {
            const now = Date.now();
            if (now - noted < 1000)
                return;
            noted = now;
            try {
                localStorage.setItem("ondol-touched", String(now));
            }
            catch (_a) {
            }
        };
        const lastTouch = () => {
            var _a;
            try {
                return Math.max(noted, Number((_a = localStorage.getItem("ondol-touched")) !== null && _a !== void 0 ? _a : "0"));
            }
            catch (_b) {
                return noted;
            }
        };
        ["pointerdown", "keydown", "wheel", "touchmove"].forEach((name) => document.addEventListener(name, touched, { passive: true }));
        touched();
        const watch = window.setInterval(() => {
            if (Date.now() - lastTouch() < lockAfter || Date.now() < sendingUntil)
                return;
            window.clearInterval(watch);
            const patience = new Promise((resolve) => window.setTimeout(resolve, 2000));
            void Promise.race([keepAll(), patience]).then(() => lock.submit());
        }, 2000);
    }
    document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));
    document.querySelectorAll("[data-pad]").forEach((pad) => {
        var _a;
        const field = document.getElementById((_a = pad.dataset.pad) !== null && _a !== void 0 ? _a : "");
        pad.addEventListener("click", (event) => {
            const key = event.target.closest("button[type=button]");
            if (!key || !field)
                return;
            field.value = key.value === "back" ? field.value.slice(0, -1) : field.value + key.value;
        });
    });
    (_f = document.getElementById("errors")) === null || _f === void 0 ? void 0 : _f.focus();
    document.addEventListener("keydown", (event) => {
        var _a, _b, _c, _d;
        const box = event.target;
        const step = event.key === "Enter" || event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
        if (step === 0 || !(box instanceof HTMLInputElement))
            return;
        const cell = box.closest(".grid td");
        const row = cell === null || cell === void 0 ? void 0 : cell.parentElement;
        if (!cell || !row || box.hasAttribute("list"))
            return;
        const rows = Array.from((_b = (_a = row.parentElement) === null || _a === void 0 ? void 0 : _a.children) !== null && _b !== void 0 ? _b : []);
        const target = (_c = rows[rows.indexOf(row) + step]) === null || _c === void 0 ? void 0 : _c.cells[cell.cellIndex];
        event.preventDefault();
        (_d = target === null || target === void 0 ? void 0 : target.querySelector("input")) === null || _d === void 0 ? void 0 : _d.focus();
    });
})();
