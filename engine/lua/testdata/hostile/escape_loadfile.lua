-- expect: script
return loadfile('/etc/hostname')
