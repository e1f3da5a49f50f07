// One's picture: chosen, looked at, put, removed. It is made small and square here, before it is sent; nothing else of the
// file leaves this device.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Failure } from '../../api/failure';
import { pageStrings } from '../../words';
import { Avatar } from '../avatar';
import { useClient } from '../context';
import { Trouble } from '../trouble';

const SIDE = 512;
const KINDS = 'image/png,image/jpeg,image/webp,image/gif,image/avif';

interface Chosen {
  readonly picture: Blob;
  /** Where it can be seen before it is sent. */
  readonly url: string;
}

export function PictureCard() {
  const { api, store, failureOf } = useClient();
  const { me, faces } = store.state;
  const chosen = useSignal<Chosen | null>(null);
  const broken = useSignal(false);
  const failed = useSignal<Failure | null>(null);
  const busy = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  const words = pageStrings.profile;

  function choose(picture: Blob | null): void {
    if (chosen.peek()) URL.revokeObjectURL(chosen.peek()?.url ?? '');
    chosen.value = picture && { picture, url: URL.createObjectURL(picture) };
    if (field.current) field.current.value = '';
  }

  useEffect(() => () => choose(null), []);

  async function look(file: File | undefined): Promise<void> {
    if (!file) return;
    failed.value = null;
    const picture = await square(file).catch(() => null);
    broken.value = picture === null;
    choose(picture);
  }

  async function attempt(work: () => Promise<void>): Promise<void> {
    busy.value = true;
    failed.value = null;
    try {
      await work();
      choose(null);
    } catch (error) {
      failed.value = failureOf(error);
    }
    busy.value = false;
  }

  const put = (picture: Blob) => attempt(async () => store.learnOwn(await api.putAvatar(picture)));
  const remove = () =>
    attempt(async () => {
      await api.removeAvatar();
      store.learn({ display_name: faces.peek().get(me)?.display_name ?? '', avatar: null });
    });

  const now = chosen.value;
  return (
    <section class="card" aria-labelledby="picture-title">
      <h2 id="picture-title">{words.picture}</h2>
      <p>{words.pictureText}</p>
      <div class="picture">
        {now ? (
          <span class="avatar avatar-l">
            <img src={now.url} alt={words.preview} width={SIDE} height={SIDE} />
          </span>
        ) : (
          <Avatar name={me} size="l" />
        )}
        <div class="card-buttons">
          {now && (
            <button type="button" class="button" disabled={busy.value} onClick={() => void put(now.picture)}>
              {words.usePicture}
            </button>
          )}
          <label class="soft">
            {words.choosePicture}
            <input
              ref={field}
              type="file"
              class="sr-only"
              accept={KINDS}
              onChange={(event) => void look(event.currentTarget.files?.[0])}
            />
          </label>
          {now && (
            <button type="button" class="soft" onClick={() => choose(null)}>
              {pageStrings.account.cancel}
            </button>
          )}
          {!now && faces.value.get(me)?.avatar && (
            <button type="button" class="soft" disabled={busy.value} onClick={() => void remove()}>
              {words.removePicture}
            </button>
          )}
        </div>
      </div>
      <p role="alert">{broken.value && words.pictureBroken}</p>
      {failed.value && <Trouble text={words.notSaved} failure={failed.value} />}
    </section>
  );
}

/** Its middle, upright, on white. */
async function square(file: Blob): Promise<Blob | null> {
  const picture = await createImageBitmap(file);
  const side = Math.min(picture.width, picture.height);
  const [x, y] = [(picture.width - side) / 2, (picture.height - side) / 2];
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [SIDE, SIDE];
  const paper = canvas.getContext('2d');
  if (!paper) return null;
  paper.fillStyle = '#fff';
  paper.fillRect(0, 0, SIDE, SIDE);
  paper.imageSmoothingQuality = 'high';
  paper.drawImage(picture, x, y, side, side, 0, 0, SIDE, SIDE);
  picture.close();
  return new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.92));
}
