// The cards of the settings, and what is asked when people do not get along.
// Fetched when it is wanted. One file: of several the bundler takes what all share out of the client's first one.

import { useSignal } from '@preact/signals';
import { CopyCard } from './copy-card';
import { DevicesCard } from './devices-card';
import { EmailCard } from './email-card';
import { EraseCard } from './erase-card';
import { InvitesCard, NewInviteCard } from './invites';
import { PasswordCard } from './password-card';
import { PictureCard } from './picture';
import { LanguageCard, ProfileCard } from './profile';
import { SecondFactorCards } from './second-factor';

export { BlockedCard } from '../contacts/blocked';
export { BlockDialog, ReportDialog } from '../contacts/dialogs';
export { ReportCards } from '../contacts/reports';

export function AccountCards() {
  return (
    <>
      <PasswordCard />
      <EmailCard />
      <SecondFactorCards />
      <DevicesCard />
    </>
  );
}

export function DataCards() {
  return (
    <>
      <CopyCard />
      <EraseCard />
    </>
  );
}

export function ProfileCards() {
  return (
    <>
      <PictureCard />
      <ProfileCard />
      <LanguageCard />
    </>
  );
}

export function InviteCards() {
  const made = useSignal(0);
  return (
    <>
      <NewInviteCard made={made} />
      <InvitesCard made={made} />
    </>
  );
}
