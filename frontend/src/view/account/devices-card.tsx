// Where one is signed in, and signing out there.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Failure } from '../../api/failure';
import type { Device } from '../../api/types';
import { pageStrings, strings } from '../../words';
import { useClient } from '../context';
import { inFull, shortTime, today } from '../times';
import { Trouble } from '../trouble';
import { deviceName } from './device-name';

export function DevicesCard() {
  const { api, store, failureOf } = useClient();
  const devices = useSignal<readonly Device[] | null>(null);
  const missing = useSignal<Failure | null>(null);
  const failed = useSignal<Failure | null>(null);
  const busy = useSignal(false);
  const up = store.state.link.value === 'up';
  const words = pageStrings.account;

  async function load(): Promise<void> {
    try {
      devices.value = (await api.devices()).results;
      missing.value = null;
    } catch (error) {
      missing.value = failureOf(error);
    }
  }

  useEffect(() => void load(), [up]);

  async function end(ending: Promise<null>): Promise<void> {
    busy.value = true;
    failed.value = null;
    try {
      await ending;
      await load();
    } catch (error) {
      failed.value = failureOf(error);
    }
    busy.value = false;
  }

  const others = devices.value?.filter(({ current }) => !current) ?? [];
  return (
    <section
      class="card"
      aria-labelledby="devices-title"
      aria-busy={devices.value === null && !missing.value}
    >
      <h2 id="devices-title">{words.devices}</h2>
      <p>{words.devicesText}</p>
      <ul class="devices">
        {devices.value?.map((device) => (
          <DeviceLine
            key={device.id}
            device={device}
            busy={busy.value}
            end={() => void end(api.endDevice(device.id))}
          />
        ))}
      </ul>
      {missing.value && (
        <Trouble text={words.devicesMissing} failure={missing.value} again={() => void load()} />
      )}
      {failed.value && <Trouble text={words.notEnded} failure={failed.value} />}
      {others.length > 0 && (
        <button
          type="button"
          class="menu-item leave"
          disabled={busy.value}
          onClick={() => void end(api.endOtherDevices())}
        >
          {words.endOthers}
        </button>
      )}
    </section>
  );
}

function DeviceLine({ device, busy, end }: { device: Device; busy: boolean; end: () => void }) {
  const words = pageStrings.account;
  const name = deviceName(device.user_agent);
  return (
    <li class="device">
      <span>
        <bdi>{name}</bdi>
        <small>
          {device.current ? (
            words.thisDevice
          ) : (
            <time dateTime={device.last_used_at} title={inFull(device.last_used_at)}>
              {words.lastUsed(shortTime(device.last_used_at, today.value))}
            </time>
          )}
        </small>
      </span>
      {!device.current && (
        <button type="button" class="soft" disabled={busy} aria-label={words.endDevice(name)} onClick={end}>
          {strings.menu.signOut}
        </button>
      )}
    </li>
  );
}
