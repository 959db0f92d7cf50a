"use strict";
(function () {
    let audio = null;
    function beep() {
        if (!audio || audio.state !== "running")
            return;
        const start = audio.currentTime;
        [0, 0.35].forEach((offset, at) => {
            const tone = audio.createOscillator();
            const level = audio.createGain();
            tone.frequency.value = at === 0 ? 880 : 660;
            level.gain.setValueAtTime(0.25, start + offset);
            level.gain.exponentialRampToValueAtTime(0.001, start + offset + 0.3);
            tone.connect(level).connect(audio.destination);
            tone.start(start + offset);
            tone.stop(start + offset + 0.3);
        });
    }
    function show() {
        if (!document.querySelector("[data-alarm]"))
            return false;
        audio = audio !== null && audio !== void 0 ? audio : new AudioContext();
        const button = document.querySelector("[data-alarm-sound]");
        if (button)
            button.hidden = audio.state === "running";
        return true;
    }
    function look() {
        if (show())
            beep();
    }
    const touched = () => {
        if (audio && audio.state !== "running")
            void audio.resume().then(look);
    };
    ["click", "keydown"].forEach((name) => document.addEventListener(name, touched));
    document.body.addEventListener("htmx:afterSwap", show);
    window.setInterval(look, 2000);
    look();
    document.querySelectorAll("[data-recorder]").forEach((box) => {
        var _a;
        const input = box.querySelector("input[type=file]");
        if (!input || !navigator.mediaDevices || typeof MediaRecorder === "undefined")
            return;
        const words = box.dataset;
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = (_a = words.start) !== null && _a !== void 0 ? _a : "";
        box.append(button);
        let recorder = null;
        function stopped(parts, kind) {
            var _a;
            const name = kind.includes("ogg") ? "voice.ogg" : kind.includes("mp4") ? "voice.mp4" : "voice.webm";
            const files = new DataTransfer();
            files.items.add(new File(parts, name, { type: kind }));
            input.files = files.files;
            button.textContent = (_a = words.start) !== null && _a !== void 0 ? _a : "";
            recorder = null;
        }
        button.addEventListener("click", () => {
            if (recorder) {
                recorder.stop();
                return;
            }
            navigator.mediaDevices.getUserMedia({ audio: true }).then((stream) => {
                var _a;
                const parts = [];
                const kind = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"].find((one) => MediaRecorder.isTypeSupported(one));
                const made = new MediaRecorder(stream, { mimeType: kind, audioBitsPerSecond: 12000 });
                made.ondataavailable = (event) => {
                    parts.push(event.data);
                };
                made.onstop = () => {
                    stream.getTracks().forEach((track) => track.stop());
                    stopped(parts, made.mimeType);
                };
                recorder = made;
                made.start();
                button.textContent = (_a = words.stop) !== null && _a !== void 0 ? _a : "";
            }, () => {
                var _a;
                button.textContent = (_a = words.denied) !== null && _a !== void 0 ? _a : "";
            });
        });
    });
})();
