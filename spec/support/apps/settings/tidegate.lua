return {
  max_message_bytes = 4096,
  log_format = "json",
}
