-- expect: script
return dofile('/etc/hostname')
