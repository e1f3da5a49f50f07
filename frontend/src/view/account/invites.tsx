// Links with which people make their accounts: making one, and what became of those that were made.

import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Failure } from '../../api/failure';
import type { Invite } from '../../api/types';
import { pageStrings } from '../../words';
import { useClient } from '../context';
import { copy } from '../copy';
import { dateOf } from '../times';
import { Trouble } from '../trouble';

/** Counts those that were made here: then the list is asked for anew. */
interface Made {
  readonly made: Signal<number>;
}

export function NewInviteCard({ made }: Made) {
  const { api, failureOf } = useClient();
  const url = useSignal<string | null>(null);
  const failed = useSignal<Failure | null>(null);
  const busy = useSignal(false);
  const words = pageStrings.invites;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    busy.value = true;
    [failed.value, url.value] = [null, null];
    try {
      const wish = {
        uses: Number(fields.get('uses')),
        days: Number(fields.get('days')),
        note: String(fields.get('note')),
      };
      url.value = (await api.invite(wish)).url;
      made.value += 1;
    } catch (error) {
      failed.value = failureOf(error);
    }
    busy.value = false;
  }

  return (
    <section class="card" aria-labelledby="new-invite-title">
      <h2 id="new-invite-title">{words.make}</h2>
      <p>{words.makeText}</p>
      <form class="card-form" onSubmit={(event) => void submit(event)}>
        <label>
          {words.uses}
          <input name="uses" type="number" inputMode="numeric" min={1} max={1000} defaultValue="1" required />
        </label>
        <label>
          {words.days}
          <input name="days" type="number" inputMode="numeric" min={1} max={365} defaultValue="7" required />
        </label>
        <label>
          {words.note}
          <input name="note" maxLength={200} />
        </label>
        {failed.value && <Trouble text={words.notMade} failure={failed.value} />}
        <div class="card-buttons">
          <button type="submit" class="button" disabled={busy.value}>
            {words.makeLink}
          </button>
        </div>
      </form>
      <div role="status">{url.value && <Link url={url.value} />}</div>
    </section>
  );
}

function Link({ url }: { url: string }) {
  const copied = useSignal(false);
  const words = pageStrings.invites;
  return (
    <div class="new-link">
      <p>{words.once}</p>
      <p>
        <code dir="ltr">{url}</code>
      </p>
      <button
        type="button"
        class="soft"
        onClick={() => {
          copied.value = copy(url);
        }}
      >
        {copied.value ? words.copied : words.copy}
      </button>
    </div>
  );
}

export function InvitesCard({ made }: Made) {
  const { api, store, failureOf } = useClient();
  const invites = useSignal<readonly Invite[] | null>(null);
  const missing = useSignal<Failure | null>(null);
  const failed = useSignal<Failure | null>(null);
  const up = store.state.link.value === 'up';
  const words = pageStrings.invites;

  async function load(): Promise<void> {
    try {
      invites.value = (await api.invites()).results;
      missing.value = null;
    } catch (error) {
      missing.value = failureOf(error);
    }
  }

  useEffect(() => void load(), [up, made.value]);

  async function revoke(id: number): Promise<void> {
    failed.value = null;
    try {
      await api.revokeInvite(id);
      await load();
    } catch (error) {
      failed.value = failureOf(error);
    }
  }

  return (
    <section class="card" aria-labelledby="invites-title">
      <h2 id="invites-title">{words.list}</h2>
      {invites.value?.length === 0 && <p>{words.none}</p>}
      <ul class="devices">
        {invites.value?.map((invite) => (
          <InviteLine key={invite.id} invite={invite} revoke={() => void revoke(invite.id)} />
        ))}
      </ul>
      {missing.value && <Trouble text={words.missing} failure={missing.value} again={() => void load()} />}
      {failed.value && <Trouble text={words.notRevoked} failure={failed.value} />}
    </section>
  );
}

function InviteLine({ invite, revoke }: { invite: Invite; revoke: () => void }) {
  const words = pageStrings.invites;
  const { me } = useClient().store.state;
  const name = invite.note || words.unnamed;
  const by = invite.made_by === me ? null : (invite.made_by ?? words.operator);
  return (
    <li class="device">
      <span>
        <bdi>{name}</bdi>
        <small>
          {words.used(invite.uses, invite.most_uses)} · {stateOf(invite)}
          {by !== null && (
            <>
              {' · '}
              <bdi>{by}</bdi>
            </>
          )}
        </small>
      </span>
      {invite.open && (
        <button type="button" class="soft" aria-label={words.revokeThis(name)} onClick={revoke}>
          {words.revoke}
        </button>
      )}
    </li>
  );
}

function stateOf(invite: Invite): string {
  const words = pageStrings.invites;
  if (invite.revoked_at !== null) return words.revoked;
  if (invite.open) return words.until(dateOf(invite.expires_at));
  return invite.uses >= invite.most_uses ? words.usedUp : words.expired;
}
