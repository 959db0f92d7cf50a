// What the pages of consults gain from script: the sound of an alarm, and recording a voice note.

(function (): void {
  // The alarm sounds while the page shows that somebody has to come now. Browsers let a page
  // sound only after a touch; until then a button stands in the red bar.
  let audio: AudioContext | null = null;

  function beep(): void {
    if (!audio || audio.state !== "running") return;
    const start = audio.currentTime;
    [0, 0.35].forEach((offset, at) => {
      const tone = (audio as AudioContext).createOscillator();
      const level = (audio as AudioContext).createGain();
      tone.frequency.value = at === 0 ? 880 : 660;
      level.gain.setValueAtTime(0.25, start + offset);
      level.gain.exponentialRampToValueAtTime(0.001, start + offset + 0.3);
      tone.connect(level).connect((audio as AudioContext).destination);
      tone.start(start + offset);
      tone.stop(start + offset + 0.3);
    });
  }

  // Says whether the page may sound; the bar comes anew every few seconds, and its button with it.
  function show(): boolean {
    if (!document.querySelector("[data-alarm]")) return false;
    audio = audio ?? new AudioContext();
    const button = document.querySelector<HTMLButtonElement>("[data-alarm-sound]");
    if (button) button.hidden = audio.state === "running";
    return true;
  }

  function look(): void {
    if (show()) beep();
  }

  // Any touch of the page does, not only one of that button: a doctor who works hears it.
  const touched = (): void => {
    if (audio && audio.state !== "running") void audio.resume().then(look);
  };
  ["click", "keydown"].forEach((name) => document.addEventListener(name, touched));
  document.body.addEventListener("htmx:afterSwap", show);
  window.setInterval(look, 2000);
  look();

  // Voice notes: the recording becomes the file of the field, so that the form is sent as ever.
  document.querySelectorAll<HTMLElement>("[data-recorder]").forEach((box) => {
    const input = box.querySelector<HTMLInputElement>("input[type=file]");
    if (!input || !navigator.mediaDevices || typeof MediaRecorder === "undefined") return;
    const words = box.dataset;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words.start ?? "";
    box.append(button);
    let recorder: MediaRecorder | null = null;

    function stopped(parts: Blob[], kind: string): void {
      const name = kind.includes("ogg") ? "voice.ogg" : kind.includes("mp4") ? "voice.mp4" : "voice.webm";
      const files = new DataTransfer();
      files.items.add(new File(parts, name, { type: kind }));
      (input as HTMLInputElement).files = files.files;
      button.textContent = words.start ?? "";
      recorder = null;
    }

    button.addEventListener("click", (): void => {
      if (recorder) {
        recorder.stop();
        return;
      }
      navigator.mediaDevices.getUserMedia({ audio: true }).then(
        (stream) => {
          const parts: Blob[] = [];
          const kind = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"].find((one) =>
            MediaRecorder.isTypeSupported(one),
          );
          // Speech is understood at this rate, and costs little on the road.
          const made = new MediaRecorder(stream, { mimeType: kind, audioBitsPerSecond: 12000 });
          made.ondataavailable = (event: BlobEvent): void => {
            parts.push(event.data);
          };
          made.onstop = (): void => {
            stream.getTracks().forEach((track) => track.stop());
            stopped(parts, made.mimeType);
          };
          recorder = made;
          made.start();
          button.textContent = words.stop ?? "";
        },
        () => {
          button.textContent = words.denied ?? "";
        },
      );
    });
  });
})();
