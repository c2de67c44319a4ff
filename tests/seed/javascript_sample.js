// Connect to agent WebSocket
const agentWs = new WebSocket('ws://localhost:8000/api/orchestration/ws/agent/my-agent');

agentWs.onopen = () => {
    console.log('Connected to orchestration service');
    
    // Update status
    agentWs.send(JSON.stringify({
        type: 'status_update',
        status: 'busy',
        task: 'Implementing feature',
        workload: 0.7
    }));
    
    // Report code change
    agentWs.send(JSON.stringify({
        type: 'code_change',
        file_path: 'src/main.js',
        change_type: 'modified'
    }));
};

agentWs.onmessage = (event) => {
    const message = JSON.parse(event.data);
    console.log('Received:', message);
};
