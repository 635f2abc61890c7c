// Errors in words: what a person reads when a call fails.
import { ApiError } from '../api/http'
import { t } from './words'

export function inWords(error: unknown): string {
  if (!(error instanceof ApiError)) return t('error_unknown', { code: String(error) })
  if (error.status === 0) return t('error_offline')
  if (error.passing) return t('error_busy')
  return error.message || t('error_unknown', { code: error.code })
}
