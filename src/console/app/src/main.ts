import { mount } from 'svelte'
import './style/tokens.css'
import './style/base.css'
import App from './App.svelte'
import { theme } from './app/theme.svelte'

theme.apply()
mount(App, { target: document.body })
