"""The log's pages. Looking is recorded; nothing here changes what was recorded."""
