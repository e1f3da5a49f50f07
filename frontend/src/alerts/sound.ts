// Two soft notes. They are made here, so there is no file to fetch.

const NOTES = [
  { hertz: 659.25, after: 0 },
  { hertz: 880, after: 0.09 },
];
const SECONDS = 0.35;
const LOUDNESS = 0.12;

let context: AudioContext | null = null;

/** Silent before somebody clicked or typed in this tab: the browser would refuse, and complain in the console. */
export async function chime(): Promise<void> {
  if (navigator.userActivation?.hasBeenActive === false) return;
  try {
    context ??= new AudioContext();
    await context.resume();
    for (const { hertz, after } of NOTES) play(context, hertz, context.currentTime + after);
  } catch {
    // No device to play on: the rest of an alert does not depend on it.
    context = null;
  }
}

function play(audio: AudioContext, hertz: number, at: number): void {
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + SECONDS);
  tone.connect(volume).connect(audio.destination);
  tone.start(at);
  tone.stop(at + SECONDS);
}
