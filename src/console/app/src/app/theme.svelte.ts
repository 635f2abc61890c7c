// Theme: light or dark, as the system has it unless the person chose.
export const themes = ['system', 'light', 'dark'] as const
export type ThemeName = (typeof themes)[number]

const KEY = 'onggi.theme'

class Theme {
  chosen = $state<ThemeName>(themes.find((name) => name === localStorage.getItem(KEY)) ?? 'system')

  choose(name: ThemeName): void {
    this.chosen = name
    localStorage.setItem(KEY, name)
    this.apply()
  }

  apply(): void {
    document.documentElement.style.colorScheme = this.chosen === 'system' ? '' : this.chosen
  }
}

export const theme = new Theme()
