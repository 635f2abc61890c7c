// English: the table of all texts. Another language is another table with the same keys.
export const en = {
  product: 'Onggi',

  signin_title: 'Sign in',
  signin_user: 'User name',
  signin_password: 'Password',
  signin_submit: 'Sign in',
  signin_busy: 'Signing in …',
  signin_wrong: 'User name or password is wrong.',
  signin_hint: 'No account yet? The operator of this server makes one.',
  signout: 'Sign out',

  nav: 'Main',
  nav_files: 'Files',
  nav_trash: 'Trash',
  nav_shared: 'Shared links',
  nav_devices: 'Devices',
  nav_connect: 'Connect',

  theme: 'Theme',
  theme_system: 'As the system',
  theme_light: 'Light',
  theme_dark: 'Dark',

  try_again: 'Try again',
  error_offline: 'The server does not answer. Trying again …',
  error_busy: 'The server is busy. Try again in a moment.',
  error_unknown: 'That did not work ({code}).',

  span_seconds: '{count} s',
  span_minutes: '{count} min',
  span_hours: '{count} h',
} as const
