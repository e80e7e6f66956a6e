import type { ChannelDefinition } from '../channel-definition.ts';
import { teamsSection, type TeamsConfig } from './section.ts';
import { createTeamsChannel } from './teams-channel.ts';

/** A card for each notification. */
export const teams: ChannelDefinition<'teams', 'teams', readonly TeamsConfig[]> = {
  id: 'teams',
  name: 'Microsoft Teams',
  kind: 'messages',
  recipients: 'name',
  key: 'teams',
  section: teamsSection,
  isConfigured: (notify) => notify.teams.length > 0,
  create: (notify, deps) => notify.teams.map((config) => createTeamsChannel(config, deps)),
};
