-- expect: script
setfenv(1, {})
