-- expect: script
return os.execute('true')
