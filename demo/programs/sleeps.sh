# Never ends, and does nothing.
exec /bin/sleep 1000
