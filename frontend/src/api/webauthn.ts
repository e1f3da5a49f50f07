// Between the server's JSON and the browser's passkeys: base64url on one side, bytes on the other.

interface Descriptor {
  readonly id: string;
}

/** What the server says of a passkey that is to be made. */
export interface ToMake {
  readonly publicKey: Omit<
    PublicKeyCredentialCreationOptions,
    'challenge' | 'user' | 'excludeCredentials'
  > & {
    readonly challenge: string;
    readonly user: { readonly id: string; readonly name: string; readonly displayName: string };
    readonly excludeCredentials: readonly Descriptor[];
  };
}

/** What it says of one that is asked for. */
export interface ToShow {
  readonly publicKey: Omit<PublicKeyCredentialRequestOptions, 'challenge' | 'allowCredentials'> & {
    readonly challenge: string;
    readonly allowCredentials: readonly Descriptor[];
  };
}

export interface MadePasskey {
  readonly client_data: string;
  readonly attestation_object: string;
}

export interface ShownPasskey {
  readonly credential_id: string;
  readonly client_data: string;
  readonly authenticator_data: string;
  readonly signature: string;
  readonly user_handle: string;
}

const bytes = (text: string) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));

const text = (buffer: ArrayBuffer | null) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer ?? new ArrayBuffer(0))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

const known = (all: readonly Descriptor[]): PublicKeyCredentialDescriptor[] =>
  all.map(({ id }) => ({ type: 'public-key', id: bytes(id) }));

/** Whether this browser has passkeys at all. It has none on plain http. */
export const canUsePasskeys = () => 'PublicKeyCredential' in window && 'credentials' in navigator;

/** Null when its person does not want to, or cannot. */
export async function make({ publicKey }: ToMake): Promise<MadePasskey | null> {
  const options: PublicKeyCredentialCreationOptions = {
    ...publicKey,
    challenge: bytes(publicKey.challenge),
    user: { ...publicKey.user, id: bytes(publicKey.user.id) },
    excludeCredentials: known(publicKey.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey: options }).catch(() => null);
  if (!made) return null;
  const response = (made as PublicKeyCredential).response as AuthenticatorAttestationResponse;
  return {
    client_data: text(response.clientDataJSON),
    attestation_object: text(response.attestationObject),
  };
}

/** Null when its person does not want to, or has none. */
export async function show({ publicKey }: ToShow): Promise<ShownPasskey | null> {
  const options: PublicKeyCredentialRequestOptions = {
    ...publicKey,
    challenge: bytes(publicKey.challenge),
    allowCredentials: known(publicKey.allowCredentials),
  };
  const shown = await navigator.credentials.get({ publicKey: options }).catch(() => null);
  if (!shown) return null;
  const { rawId, response } = shown as PublicKeyCredential;
  const said = response as AuthenticatorAssertionResponse;
  return {
    credential_id: text(rawId),
    client_data: text(said.clientDataJSON),
    authenticator_data: text(said.authenticatorData),
    signature: text(said.signature),
    user_handle: text(said.userHandle),
  };
}
