// Gives Node the WebSocket that browsers have; newer versions of Node bring one of their own.
import { WebSocket } from 'ws';

globalThis.WebSocket ??= WebSocket;
